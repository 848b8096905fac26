/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Who worked on what when it died.  A page shared by the master and its
 * children: each child notes the camera it touches, and the master reads that
 * when the child has crashed.  Three crashes on one camera within a minute
 * shut it out, so that the other cameras of that child go on; it is let in
 * again with a new publication after ten minutes, or with a new master.
 */

#ifndef CW_BLAME_H
#define CW_BLAME_H

#include <stdint.h>

#include "uuid.h"

#define CW_CHILDREN_MAX      64

#define CW_BLAME_NOBODY      0
#define CW_BLAME_CAMERA      1
#define CW_BLAME_QUARANTINE  2


typedef struct cw_blame_s  cw_blame_t;


/* NULL with errno */
cw_blame_t *cw_blame_create(void);

/* by a child that has no business with it */
void cw_blame_forget(cw_blame_t *blame);

/* by the child; begin ... end, and a sign of life */
void cw_blame_begin(cw_blame_t *blame, int child, const uint8_t *camera,
    uint64_t generation);
void cw_blame_end(cw_blame_t *blame, int child);
void cw_blame_alive(cw_blame_t *blame, int child, int64_t now_msec);

/* 1 while publications of this camera are not to be touched */
int cw_blame_quarantined(cw_blame_t *blame, const uint8_t *camera,
    uint64_t generation, int64_t now_msec);

/* how often children have crashed on this camera within a minute */
int cw_blame_crashes(const cw_blame_t *blame, const uint8_t *camera,
    int64_t now_msec);

/* one camera after another that is shut out, from *n = 0 on; 1, or 0: no
   more */
int cw_blame_shut(const cw_blame_t *blame, int *n, uint8_t *camera);

/* by the master */
int64_t cw_blame_last_alive(const cw_blame_t *blame, int child);

/* the child has crashed: CW_BLAME_*, and the camera it was at */
int cw_blame_settle(cw_blame_t *blame, int child, int64_t now_msec,
    uint8_t *camera);


#endif /* CW_BLAME_H */
