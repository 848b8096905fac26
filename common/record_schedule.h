/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * When a camera records, week by week: a list of windows,
 *
 *     [{"day":1,"from":"08:00","to":"18:30"},{"day":6,"from":"00:00",
 *       "to":"24:00"}]
 *
 * of days from 0, Sunday, to 6, and times of the schedule's own time zone.  A
 * window ends on the day that it begins on.
 */

#ifndef CAM_RECORD_SCHEDULE_H
#define CAM_RECORD_SCHEDULE_H

#include <stddef.h>

#define CAM_SCHEDULE_WINDOWS_MAX  64
#define CAM_SCHEDULE_ZONE_MAX     64


/* what is wrong with such a list, a sentence's end as of cam_field_t.check;
   NULL: nothing is */
const char *cam_schedule_check(const char *text, size_t len);

/* the same of a time zone's name, which the database has to know besides */
const char *cam_schedule_check_zone(const char *text, size_t len);


#endif /* CAM_RECORD_SCHEDULE_H */
