/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * camera doctor: what its checks share.  A check notes one line: what was
 * found, and the next step when something is wrong.  A check whose ground is
 * missing notes that it was skipped, so that only causes are marked as wrong.
 */

#ifndef CLI_DOCTOR_H
#define CLI_DOCTOR_H

#include "credentials.h"
#include "live.h"


typedef enum {
    CLI_CHECK_OK = 0,
    CLI_CHECK_WARNING,
    CLI_CHECK_FAILED,
    CLI_CHECK_SKIPPED
} cli_check_e;


typedef struct {
    cli_t          *cli;
    json_t         *checks;
    cli_shm_t       shm;
    cli_live_t      live;
    cli_camera_t    camera;
    int             in_database;     /* camera was read from there */
    int             nginx;           /* it answers */
    int             keys;            /* tokens can be signed */
    int             tls;             /* the RTMPS port is open */
    int             publishing;
    int             picture;         /* the end of it all */
} cli_doctor_t;


void cli_doctor_note(cli_doctor_t *d, const char *check, cli_check_e result,
    const char *next, const char *fmt, ...)
    __attribute__ ((format(printf, 5, 6)));

/* doctor_server.c: what is the same for all cameras */
void cli_doctor_nginx(cli_doctor_t *d);
void cli_doctor_https(cli_doctor_t *d);
void cli_doctor_worker(cli_doctor_t *d);
void cli_doctor_port(cli_doctor_t *d);

/* doctor_key.c: may the camera publish? */
void cli_doctor_camera(cli_doctor_t *d);
void cli_doctor_keys(cli_doctor_t *d);
void cli_doctor_address(cli_doctor_t *d);
void cli_doctor_refusal(cli_doctor_t *d);

/* doctor_stream.c: does it, and what does it send? */
void cli_doctor_publisher(cli_doctor_t *d);
void cli_doctor_codec(cli_doctor_t *d);
void cli_doctor_b_frames(cli_doctor_t *d);
void cli_doctor_key_frames(cli_doctor_t *d);
void cli_doctor_packager(cli_doctor_t *d);

/* doctor_play.c: is the picture to be had? */
void cli_doctor_playlist(cli_doctor_t *d);


#endif /* CLI_DOCTOR_H */
