/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The journal of a volume: what happened, one JSON object a line, in files that
 * are only ever appended to.  The jobs role applies them to the database, in
 * order, when there is one; until then they wait here.  A new file begins with
 * each start and each 1 MB, and with the recordings that are open, so that the
 * newest files tell all that a restart must know.
 */

#ifndef CW_RECORD_JOURNAL_H
#define CW_RECORD_JOURNAL_H

#include <stddef.h>
#include <stdint.h>

#include "record_file.h"


typedef struct {
    int         dirfd;               /* DIR/journal, or -1 */
    int         fd;                  /* of the newest file, or -1 */
    int64_t     name_msec;
    uint64_t    size;
    int         dirty;               /* lines that are not durable */
    char       *line;                /* lines that are not written */
    size_t      len;
    size_t      cap;
    int         failed;              /* said so */
} cw_record_journal_t;

struct cw_record_s;


/* begins a new file; 0/-1 with errno */
int cw_record_journal_open(cw_record_journal_t *j, int volumefd);
void cw_record_journal_close(cw_record_journal_t *j);

/* a line of printf(), without the braces and the time */
void cw_record_journal_add(struct cw_record_s *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

void cw_record_journal_opened(struct cw_record_s *r,
    const cw_record_file_t *f);
void cw_record_journal_advanced(struct cw_record_s *r,
    const cw_record_file_t *f);
void cw_record_journal_closed(struct cw_record_s *r,
    const cw_record_file_t *f);

/* end_msec 0: it is still open */
void cw_record_journal_gap(struct cw_record_s *r, const uint8_t *camera,
    int64_t start_msec, int64_t end_msec, const char *cause);
void cw_record_journal_removed(struct cw_record_s *r, const uint8_t *id,
    const char *why);

/* camera may be NULL; the message has neither quotes nor backslashes */
void cw_record_journal_alert(struct cw_record_s *r, const char *type,
    const char *severity, const uint8_t *camera, const char *message);
void cw_record_journal_calm(struct cw_record_s *r, const char *type,
    const uint8_t *camera);

/* writes the lines, and begins another file when this one is long; what cannot
   be written now waits.  sync: durable when it returns 0; else -1 */
int cw_record_journal_flush(struct cw_record_s *r, int sync);


#endif /* CW_RECORD_JOURNAL_H */
