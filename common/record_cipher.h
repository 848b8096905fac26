/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Encryption of what was recorded: against a disk that is stolen, a volume that
 * is copied, a backup that is lost.  Who may watch is not its business.
 *
 * Encrypted are the samples, which is the payload of each fragment's mdat, by
 * AES-256 in counter mode (NIST SP 800-38A) under a random key of the
 * recording.  Nothing changes its place or size, so a range of bytes stays one.
 * ftyp, moov, moof and the index stay plain: who checks, repairs, counts and
 * removes files needs no key, and they say no more than sizes and times.  On
 * disk the box of an encrypted fragment has the type "edat": who does not
 * decrypt plays nothing rather than noise.
 *
 * The recording's key is wrapped (RFC 3394) into the head of its index by a key
 * of use "recording", or rather by one that is derived from it for this camera
 * and this recording: in another head it is refused.  So it may be kept in
 * other places, too, and is, in the journal and in the row of the recording.
 *
 * No two texts share a piece of the keystream.  A counter block is
 *
 *     wall_msec, 32 bits | msn, 48 | part, 16 | block in the fragment, 32
 *
 * in network order, the lowest bits of each.  The first three are in the
 * fragment's entry of the index and, for the day on which that is lost, in its
 * moof [record_name.h]; the last cannot run over, for a fragment is shorter
 * than 2^32 bytes.  So it is the text that has a keystream, not its place in
 * the file, under a key that no other recording has:
 *
 * - Fragments of a recording are parts of the live store, in its order: they
 *   differ in msn or part.
 * - What is written a second time at the same place, after a write that failed
 *   or in a file that was taken up, is another part, with another keystream, or
 *   the same one, whose samples never change: the same text.
 * - A live store that was made anew counts on from the time of day, and should
 *   it come to a number again, it is at another time, which wall_msec has.  A
 *   recording of a day is shorter than 2^32 ms, and one whose clock is set back
 *   is another recording.
 *
 * A file that is made at once, as an export is, has a key of its own, in a head
 * beside it, and is encrypted as a whole: the counter is the number of the
 * block.  Each of its bytes is written once under that key.
 *
 * Counter mode keeps a secret and notices nothing: who can write to the disk
 * can turn bits.  The index's checksums find accidents, not intent; a signed
 * manifest vouches for an export, from the moment on that it was made.
 */

#ifndef CAM_RECORD_CIPHER_H
#define CAM_RECORD_CIPHER_H

#include <stddef.h>
#include <stdint.h>

#include "base64url.h"
#include "keys.h"
#include "record_index.h"

#define CAM_RECORD_SEALED        "edat"

/* a wrapped key as text, without its NUL: base64url */
#define CAM_RECORD_WRAPPED_TEXT  cam_base64url_encoded_len(CAM_RECORD_WRAPPED)


typedef struct cam_record_cipher_s  cam_record_cipher_t;


/*
 * A new key for the recording that head is of, and into head what lets it be
 * found again.  NULL with errno, ENOKEY: there is no key of use "recording".
 */
cam_record_cipher_t *cam_record_cipher_new(cam_record_head_t *head,
    const cam_keys_t *keys);

/*
 * The one of a head.  NULL with errno, ENOKEY: its key is none of ours,
 * EBADMSG: it was not wrapped by that, or not for this recording.
 */
cam_record_cipher_t *cam_record_cipher_open(const cam_record_head_t *head,
    const cam_keys_t *keys);

void cam_record_cipher_free(cam_record_cipher_t *cipher);

/*
 * What a head has of its key, as it stands in the journal and in the row of the
 * recording, too; and back: 0, or -1: these are no such texts, and nothing was
 * set.  Whether the key is that of the recording, cam_record_cipher_open()
 * says.
 */
const char *cam_record_cipher_print(char text[CAM_RECORD_WRAPPED_TEXT + 1],
    const uint8_t wrapped[CAM_RECORD_WRAPPED]);
int cam_record_cipher_parse(char kid[CAM_KID_MAX],
    uint8_t wrapped[CAM_RECORD_WRAPPED], const char *kid_text,
    const char *text);

/*
 * Encrypts, or decrypts: n bytes of the fragment that begin at byte `at` of it.
 * moof is the size of its first box.  What is not samples stays, but for the
 * type of the second box.  One thread at a time.  0, or -1.
 */
int cam_record_cipher_apply(cam_record_cipher_t *cipher,
    const cam_record_fragment_t *f, uint32_t moof, uint32_t at, uint8_t *data,
    size_t n);

/* the same for n bytes at a place of a file that is encrypted as a whole */
int cam_record_cipher_flat(cam_record_cipher_t *cipher, uint64_t at,
    uint8_t *data, size_t n);


#endif /* CAM_RECORD_CIPHER_H */
