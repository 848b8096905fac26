/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Once an hour: partitions for the days and months to come, the end of empty
 * and of old ones, and of rows whose time is over.
 */

#include <inttypes.h>
#include <stdio.h>

#include "jobs.h"

#define CW_UPKEEP_DAYS  "3"


void
cw_jobs_upkeep(cw_jobs_t *j)
{
    int          i;
    char         now[CW_JOBS_NUMBER];
    const char  *values[] = { now };

    static const char  *statements[] = {
        "SELECT make_recording_partitions(" CW_UPKEEP_DAYS ")",
        "SELECT drop_empty_recording_partitions()",
        "SELECT recording_upkeep()",
        "SELECT make_metric_partitions(" CW_UPKEEP_DAYS ")",
        "SELECT drop_old_metric_partitions()",
        "SELECT make_audit_partitions()",
        "SELECT audit_expire()",
        NULL
    };

    for (i = 0; statements[i]; i++) {
        (void) cw_db_do(&j->db, statements[i], 0, NULL);
    }

    snprintf(now, sizeof(now), "%" PRId64, cw_jobs_retention_now(j));

    (void) cw_db_do(&j->db, "SELECT retention_forget_gaps("
                    "to_timestamp($1::bigint / 1000.0))", 1, values);
}
