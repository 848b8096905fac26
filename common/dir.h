/*
 * Copyright (C) The nginx camera platform authors
 */

/* Directories that are read by name, below one that is open. */

#ifndef CAM_DIR_H
#define CAM_DIR_H

#include <dirent.h>


/*
 * That directory, for closedir(), with a place of its own in it; "." is the
 * parent itself.  No link is followed to it.  NULL with errno.
 */
DIR *cam_dir_open(int parentfd, const char *path);


#endif /* CAM_DIR_H */
