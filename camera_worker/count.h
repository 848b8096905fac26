/*
 * Copyright (C) The nginx camera platform authors
 */

/* The node's counters (common/metrics.h), for the master and its children. */

#ifndef CW_COUNT_H
#define CW_COUNT_H

#include "metrics.h"


/* before the first child; without a file nothing is counted */
void cw_count_open(const char *shm);

void cw_count(cam_metric_e metric, uint64_t n);
void cw_gauge(cam_metric_e gauge, uint64_t value);


#endif /* CW_COUNT_H */
