/*
 * Copyright (C) The nginx camera platform authors
 */

#include <errno.h>
#include <stddef.h>

#include "count.h"
#include "log.h"


static cam_metrics_t  *cw_count_metrics;


void
cw_count_open(const char *shm)
{
    cw_count_metrics = cam_metrics_open(shm);

    if (cw_count_metrics == NULL) {
        cw_log(CW_LOG_WARN, errno, "cam_metrics_open(\"%s\") failed, nothing "
               "is counted", shm);
    }
}


void
cw_count(cam_metric_e metric, uint64_t n)
{
    cam_metrics_add(cw_count_metrics, metric, n);
}


void
cw_gauge(cam_metric_e gauge, uint64_t value)
{
    cam_metrics_set(cw_count_metrics, gauge, value);
}
