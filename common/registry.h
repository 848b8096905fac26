/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The registry: all that ingest and playback must know of each camera, in one
 * versioned file of fixed slots under shm/, mapped by every nginx worker of
 * every generation and by camera-worker.
 *
 * Two halves with different writers.  An entry is written by one process, the
 * feeder (the nginx worker that holds the flock of registry.feeder), from
 * PostgreSQL, into the spare copy of its slot.  The state beside it is written
 * by whichever worker serves the camera, word by word with atomics.  The file
 * outlives nginx, so publishers are known while PostgreSQL is away.
 *
 * Layout: docs/registry.md.  A slot number is stable while the file lives.
 */

#ifndef CAM_REGISTRY_H
#define CAM_REGISTRY_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "uuid.h"

#define CAM_REGISTRY_KEY_MAX      64   /* camera_key, with its NUL */
#define CAM_REGISTRY_CIDRS        10
#define CAM_REGISTRY_OPAQUE       2    /* current and next */
#define CAM_REGISTRY_TTL_SEC      86400   /* known without PostgreSQL */

#define CAM_CAMERA_ACTIVE         0x01
#define CAM_CAMERA_CUT_AT_EXPIRY  0x02   /* end a live stream with its token */

/* why the last publisher was turned away, and what the stream lacks;
   also read by `camera doctor` */
typedef enum {
    CAM_REASON_NONE = 0,
    CAM_REASON_TOKEN_MISSING,
    CAM_REASON_TOKEN_INVALID,
    CAM_REASON_TOKEN_EXPIRED,
    CAM_REASON_TOKEN_REVOKED,
    CAM_REASON_TOKEN_FOREIGN,      /* another camera's */
    CAM_REASON_CAMERA_INACTIVE,
    CAM_REASON_ADDRESS,            /* not in the camera's list */
    CAM_REASON_BUSY,               /* held by another live publisher */
    CAM_REASON_TAKEOVER_LIMIT,
    CAM_REASON_NO_SPACE,           /* shm below its reserve */
    CAM_REASON_VIDEO_CODEC,        /* detail: FLV codec id */
    CAM_REASON_AUDIO_CODEC,
    CAM_REASON_BAD_MEDIA,          /* malformed configuration or frame */
    CAM_REASON_IDLE,               /* no media in time */
    CAM_REASON_QUARANTINED,        /* crashed the packager three times */
    CAM_REASON_NOT_READY,          /* registry unknown yet: come again */
    CAM_REASON_QUOTA,
    CAM_REASON_DRAINED             /* its worker ends: told, never noted */
} cam_reason_e;


typedef struct {
    uint8_t         family;          /* AF_INET, AF_INET6, 0 = unused */
    uint8_t         bits;
    uint8_t         addr[16];
} cam_cidr_t;


/* written by the feeder; one row of the view feeder_cameras */
typedef struct {
    uint8_t         camera[CAM_UUID_LEN];
    uint8_t         tenant[CAM_UUID_LEN];
    char            key[CAM_REGISTRY_KEY_MAX];   /* NUL-terminated */
    uint32_t        flags;
    uint32_t        key_generation;       /* current */
    uint32_t        prev_generation;      /* valid until prev_until, 0 = none */
    int64_t         prev_until;           /* Unix seconds */
    uint8_t         opaque[CAM_REGISTRY_OPAQUE][32];   /* SHA-256, 0 = none */
    uint32_t        opaque_generation[CAM_REGISTRY_OPAQUE];
    uint32_t        play_epoch;           /* playback tokens below are dead */
    uint32_t        max_publishers;       /* tenant's quotas, 0 = no limit */
    uint32_t        max_viewers;
    uint32_t        max_egress_kbps;
    cam_cidr_t      cidr[CAM_REGISTRY_CIDRS];   /* all unused = any address */
} cam_registry_entry_t;


/* written by workers; every field is one atomic word */
typedef struct {
    uint64_t        generation;           /* of the current publication */
    uint64_t        ended_generation;     /* == generation: nobody publishes */
    int64_t         refused_msec;         /* wall, 0 = never */
    uint32_t        refused_reason;       /* cam_reason_e */
    uint32_t        refused_detail;
    uint32_t        warning;              /* cam_reason_e of a live stream */
    uint32_t        warning_detail;
} cam_registry_state_t;


typedef struct cam_registry_s  cam_registry_t;


/* what a whole registry knows about itself */
typedef struct {
    uint32_t        capacity;             /* slots */
    uint32_t        used;
    int64_t         fed_at;               /* Unix s of the last good read */
    int64_t         full_at;              /* Unix s one did not fit, or 0 */
    uint64_t        changes;              /* bumped by every entry written */
} cam_registry_info_t;


/*
 * Maps shm/registry.  write is 0 in camera-worker and bin/camera, which accept
 * any capacity (0); with write it is created with that many slots when it is
 * absent, or replaced, cameras and all, when nobody else writes the one that
 * is there and that has another capacity or layout.  Readers notice by its
 * inode.  NULL with errno; ENOSPC: tmpfs is full; EINVAL, EPROTO: another
 * capacity or layout is in use.
 */
cam_registry_t *cam_registry_open(const char *shm, uint32_t capacity,
    int write);
void cam_registry_close(cam_registry_t *reg);

void cam_registry_info(cam_registry_t *reg, cam_registry_info_t *info);

/*
 * Look-ups answer a slot >= 0 and a consistent copy of its entry, or -1.  The
 * key is the public name in the publish URL; hash is the SHA-256 of an opaque
 * token.  They cost one probe and no lock.
 */
int cam_registry_find_key(cam_registry_t *reg, const char *key, size_t len,
    cam_registry_entry_t *entry);
int cam_registry_find_id(cam_registry_t *reg,
    const uint8_t camera[CAM_UUID_LEN], cam_registry_entry_t *entry);
int cam_registry_find_opaque(cam_registry_t *reg, const uint8_t hash[32],
    cam_registry_entry_t *entry);

/* 0 and a copy, or -1 when the slot is empty */
int cam_registry_get(cam_registry_t *reg, int slot,
    cam_registry_entry_t *entry);

/* changes whenever the slot's entry does: cheap to poll */
uint64_t cam_registry_slot_version(cam_registry_t *reg, int slot);

/* never NULL for 0 <= slot < capacity; use the __atomic builtins on it */
cam_registry_state_t *cam_registry_state(cam_registry_t *reg, int slot);

/*
 * Makes a new publication the camera's only one: generation becomes
 * max(old + 1, wall clock in ms), so that it also grows over a lost file.
 * Answers the new generation, or 0 when expected is not the current one any
 * more (another worker was first).
 */
uint64_t cam_registry_claim(cam_registry_t *reg, int slot, uint64_t expected);

/* ends a publication unless it was superseded */
void cam_registry_release(cam_registry_t *reg, int slot, uint64_t generation);

void cam_registry_refused(cam_registry_t *reg, int slot, cam_reason_e reason,
    uint32_t detail);

/* the feeder's side; one process at a time.  0, or -1 with ENOSPC when all
   slots are taken (info.full_at says since when) */
int cam_registry_put(cam_registry_t *reg, const cam_registry_entry_t *entry);
void cam_registry_remove(cam_registry_t *reg,
    const uint8_t camera[CAM_UUID_LEN]);
/* entries not put since begin are removed by commit: a whole load */
void cam_registry_load_begin(cam_registry_t *reg);
void cam_registry_load_commit(cam_registry_t *reg);
void cam_registry_fed(cam_registry_t *reg, int64_t now_sec);

/* 1 when addr is allowed by the entry's list (IPv4-mapped IPv6 counts as
   IPv4) */
int cam_registry_allows(const cam_registry_entry_t *entry,
    const struct sockaddr *addr);

/* the same of a list of n, of which some may be unused */
int cam_cidr_allows(const cam_cidr_t *list, int n, const struct sockaddr *sa);

/* one CIDR of text ("10.0.0.0/8", "2001:db8::/32", or a bare address); 0/-1 */
int cam_cidr_parse(cam_cidr_t *cidr, const char *text, size_t len);

/* a word for each reason ("token_expired"), and a sentence for operators */
const char *cam_reason_name(cam_reason_e reason);
const char *cam_reason_text(cam_reason_e reason);


#endif /* CAM_REGISTRY_H */
