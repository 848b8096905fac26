/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The only thing that the roles snapshot and sandbox share: a piece of memory,
 * made by the master before either exists, through which one job at a time goes
 * over and its result comes back.
 *
 *   IDLE     snapshot may write a job
 *   READY    the job is whole                  [cw_exchange_offer, snapshot]
 *   WORKING  sandbox has begun                 [cw_exchange_begin, sandbox]
 *   DONE     the result is whole               [cw_exchange_answer, sandbox]
 *   IDLE     the result was taken              [cw_exchange_take, snapshot]
 *
 * Either side may be killed in any state and starts again: a sandbox that finds
 * a job begun answers that it failed, for it killed its predecessor; a snapshot
 * takes the result of a job that it knows nothing of, and drops it.
 *
 * What sandbox writes here is a stranger's word.
 */

#ifndef CW_EXCHANGE_H
#define CW_EXCHANGE_H

#include <stddef.h>
#include <stdint.h>

#include "ring.h"
#include "snapshot_file.h"

#define CW_EXCHANGE_FRAME_MAX    (16u << 20)
#define CW_EXCHANGE_PICTURE_MAX  (2u << 20)


typedef enum {
    CW_EXCHANGE_IDLE = 0,
    CW_EXCHANGE_READY,
    CW_EXCHANGE_WORKING,
    CW_EXCHANGE_DONE
} cw_exchange_state_e;


typedef enum {
    CW_EXCHANGE_PICTURES = 0,
    CW_EXCHANGE_UNDECODABLE,
    CW_EXCHANGE_FAILED               /* nothing is known of the frame */
} cw_exchange_result_e;


typedef struct {
    uint32_t    state;               /* a futex */

    /* the job */
    uint32_t    widths;              /* bits, by number of the width */
    uint32_t    config_size;
    uint32_t    frame_size;
    uint8_t     config[CAM_RING_CONFIG_MAX];
    uint8_t     frame[CW_EXCHANGE_FRAME_MAX];

    /* the result */
    uint32_t    result;
    uint32_t    picture_size[CAM_SNAPSHOT_WIDTHS];      /* 0: none */
    uint8_t     picture[CAM_SNAPSHOT_WIDTHS][CW_EXCHANGE_PICTURE_MAX];
} cw_exchange_t;


/* pages are taken when they are used; NULL with errno */
cw_exchange_t *cw_exchange_create(void);

cw_exchange_state_e cw_exchange_state(const cw_exchange_t *x);

/* each is a step of the table above */
void cw_exchange_offer(cw_exchange_t *x);
void cw_exchange_begin(cw_exchange_t *x);
void cw_exchange_answer(cw_exchange_t *x, cw_exchange_result_e result);
void cw_exchange_take(cw_exchange_t *x);

/* sleeps while the state is this one, at most so long */
void cw_exchange_wait(cw_exchange_t *x, cw_exchange_state_e state,
    unsigned msec);


#endif /* CW_EXCHANGE_H */
