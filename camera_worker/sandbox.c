/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The sandbox role: decodes what strangers sent.  It knows no camera, has no
 * file and no socket; a job comes as bytes and goes as bytes, by the exchange.
 * Whose bytes they are is noted by the role that offered them, where a crash is
 * put down to that camera.
 *
 *   locked   jobs are done                             [cw_sandbox_work]
 *   shut     it could not be locked up: each job is answered at once, nothing
 *            is decoded                                [cw_sandbox_run]
 */

#include <malloc.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "exchange.h"
#include "log.h"
#include "picture.h"
#include "sandbox.h"
#include "worker.h"

#define CW_SANDBOX_WAIT_MSEC   1000
#define CW_SANDBOX_NICE        5           /* live pictures come first */
#define CW_SANDBOX_MMAP_BYTES  (256 << 10) /* from here on, given back */


static void cw_sandbox_do(cw_worker_t *worker, int child, int locked);
static cw_exchange_result_e cw_sandbox_work(cw_exchange_t *x);


int
cw_sandbox_run(cw_worker_t *worker, int child)
{
    int                  locked;
    cw_exchange_t       *x;
    cw_exchange_state_e  state;

    x = worker->exchange;

    (void) !nice(CW_SANDBOX_NICE);
    (void) mallopt(M_MMAP_THRESHOLD, CW_SANDBOX_MMAP_BYTES);
    cw_blame_forget(worker->blame);

    locked = cw_sandbox_lock() == 0;

    if (!locked) {
        cw_log(CW_LOG_CRIT, 0, "cannot be locked up, there are no snapshots");
    }

    if (cw_exchange_state(x) == CW_EXCHANGE_WORKING) {
        cw_exchange_answer(x, CW_EXCHANGE_FAILED);
    }

    while (!cw_quit) {
        cw_blame_alive(worker->picture_blame, child,
                       cam_clock_monotonic_msec());

        state = cw_exchange_state(x);

        if (state == CW_EXCHANGE_READY) {
            cw_sandbox_do(worker, child, locked);

        } else {
            cw_exchange_wait(x, state, CW_SANDBOX_WAIT_MSEC);
        }
    }

    return 0;
}


static void
cw_sandbox_do(cw_worker_t *worker, int child, int locked)
{
    cw_exchange_result_e  result;

    result = CW_EXCHANGE_FAILED;
    cw_exchange_begin(worker->exchange);

    if (locked && cw_sandbox_limit_time() == 0) {
        result = cw_sandbox_work(worker->exchange);
    }

    cw_blame_end(worker->picture_blame, child);
    cw_exchange_answer(worker->exchange, result);
}


static cw_exchange_result_e
cw_sandbox_work(cw_exchange_t *x)
{
    unsigned       n;
    cw_picture_t  *picture;

    memset(x->picture_size, 0, sizeof(x->picture_size));

    picture = cw_picture_decode(x->config, x->config_size, x->frame,
                                x->frame_size);
    if (picture == NULL) {
        return CW_EXCHANGE_UNDECODABLE;
    }

    for (n = 0; n < CAM_SNAPSHOT_WIDTHS; n++) {
        if (x->widths & 1u << n) {
            x->picture_size[n] = cw_picture_encode(picture,
                                                   cam_snapshot_width(n),
                                                   x->picture[n],
                                                   CW_EXCHANGE_PICTURE_MAX);
        }
    }

    cw_picture_free(picture);

    return CW_EXCHANGE_PICTURES;
}
