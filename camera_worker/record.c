/*
 * Copyright (C) The nginx camera platform authors
 */

/* The record role: recordings of cameras on one volume. */

#include "clock.h"
#include "log.h"
#include "worker.h"


int
cw_record_run(cw_worker_t *worker, int child)
{
    cam_record_table_t  *table;
    struct timespec      ts = { 0, 400000000 };

    table = cam_record_table_open(worker->shm);

    if (table == NULL) {
        return 1;
    }

    while (!cw_quit) {
        cw_blame_alive(worker->quiet_blame, child, cam_clock_monotonic_msec());
        (void) nanosleep(&ts, NULL);
    }

    cam_record_table_close(table);

    return 0;
}
