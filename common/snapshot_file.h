/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Snapshots: the files that camera-worker writes and nginx serves, one of each
 * width that is wanted, live/{camera}/snapshot.{width}.jpg.
 *
 * A file appears whole, by a rename.  Its modification time is when the
 * picture came from the camera; its change time, which only the kernel sets,
 * is when the picture was last known to be the newest.  A file of one byte
 * holds no picture but the reason for that.
 */

#ifndef CAM_SNAPSHOT_FILE_H
#define CAM_SNAPSHOT_FILE_H

#include "wanted.h"

#define CAM_SNAPSHOT_WIDTHS        4
#define CAM_SNAPSHOT_NAME_MAX      24
#define CAM_SNAPSHOT_MSEC          1000     /* it is served so long */

/* the one byte of a file without a picture */
#define CAM_SNAPSHOT_UNDECODABLE   'u'
#define CAM_SNAPSHOT_QUARANTINED   'q'


/* pixels of the n-th width, smallest first */
unsigned cam_snapshot_width(unsigned n);

/* which width has that many pixels or, when none has, the most */
unsigned cam_snapshot_for(unsigned width);

/* how the n-th width is wished for */
cam_wanted_e cam_snapshot_kind(unsigned n);

/* the name of its file in live/{camera}; NUL-terminated, answers name */
char *cam_snapshot_name(char name[CAM_SNAPSHOT_NAME_MAX], unsigned n);


#endif /* CAM_SNAPSHOT_FILE_H */
