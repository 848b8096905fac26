/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Cameras on a grid, as a layout of the dashboard has them:
 *
 *     [{"cameraId":"018f...","position":{"x":0,"y":0},
 *       "size":{"width":2,"height":1}}]
 *
 * in cells of the grid, from its upper left corner.
 */

#ifndef CAM_LAYOUT_H
#define CAM_LAYOUT_H

#include <stddef.h>

#define CAM_LAYOUT_CELLS_MAX  64
#define CAM_LAYOUT_GRID       64        /* cells of a side, at most */


/* what is wrong with such a list, a sentence's end as of cam_field_t.check;
   NULL: nothing is */
const char *cam_layout_check(const char *text, size_t len);


#endif /* CAM_LAYOUT_H */
