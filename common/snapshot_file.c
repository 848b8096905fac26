/*
 * Copyright (C) The nginx camera platform authors
 */

/* The widths of snapshots, and what each is called where. */

#include <stdio.h>

#include "snapshot_file.h"


static const struct {
    unsigned       width;
    cam_wanted_e   kind;
} cam_snapshot_widths[CAM_SNAPSHOT_WIDTHS] = {
    { 160, CAM_WANTED_PREVIEW_160 },
    { 320, CAM_WANTED_PREVIEW_320 },
    { 640, CAM_WANTED_PREVIEW_640 },
    { 1280, CAM_WANTED_PREVIEW_1280 },
};


unsigned
cam_snapshot_width(unsigned n)
{
    return cam_snapshot_widths[n].width;
}


unsigned
cam_snapshot_for(unsigned width)
{
    unsigned  n;

    for (n = 0; n < CAM_SNAPSHOT_WIDTHS - 1; n++) {
        if (width <= cam_snapshot_widths[n].width) {
            break;
        }
    }

    return n;
}


cam_wanted_e
cam_snapshot_kind(unsigned n)
{
    return cam_snapshot_widths[n].kind;
}


char *
cam_snapshot_name(char name[CAM_SNAPSHOT_NAME_MAX], unsigned n)
{
    snprintf(name, CAM_SNAPSHOT_NAME_MAX, "snapshot.%u.jpg",
             cam_snapshot_widths[n].width);

    return name;
}
