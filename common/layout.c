/*
 * Copyright (C) The nginx camera platform authors
 */

#include "json_read.h"
#include "layout.h"
#include "uuid.h"


static const char *cam_layout_cell(json_t *cell);
static int cam_layout_pair(json_t *pair, const char *a, const char *b,
    json_int_t least, json_int_t values[2]);
static int cam_layout_number(json_t *number, json_int_t least);


const char *
cam_layout_check(const char *text, size_t len)
{
    return cam_json_check_list(text, len, cam_layout_cell);
}


static const char *
cam_layout_cell(json_t *cell)
{
    json_t      *camera;
    uint8_t      id[CAM_UUID_LEN];
    json_int_t   at[2], size[2];

    camera = json_object_get(cell, "cameraId");

    if (!json_is_string(camera)
        || cam_uuid_parse(id, json_string_value(camera),
                          json_string_length(camera))
           != 0)
    {
        return "must have the cameraId of a camera in each cell";
    }

    if (cam_layout_pair(json_object_get(cell, "position"), "x", "y", 0, at)
        != 0)
    {
        return "must have a position with x and y from 0 to 63 in each cell";
    }

    if (cam_layout_pair(json_object_get(cell, "size"), "width", "height", 1,
                        size)
        != 0)
    {
        return "must have a size with width and height from 1 to 64 in each "
               "cell";
    }

    if (at[0] + size[0] > CAM_LAYOUT_GRID || at[1] + size[1] > CAM_LAYOUT_GRID)
    {
        return "must have cells that lie within the grid of 64 by 64";
    }

    return json_object_size(cell) == 3
           ? NULL : "must have nothing but cameraId, position and size in a "
                    "cell";
}


static int
cam_layout_pair(json_t *pair, const char *a, const char *b, json_int_t least,
    json_int_t values[2])
{
    json_t  *first, *second;

    first = json_object_get(pair, a);
    second = json_object_get(pair, b);

    if (cam_layout_number(first, least) != 0
        || cam_layout_number(second, least) != 0
        || json_object_size(pair) != 2)
    {
        return -1;
    }

    values[0] = json_integer_value(first);
    values[1] = json_integer_value(second);

    return 0;
}


static int
cam_layout_number(json_t *number, json_int_t least)
{
    json_int_t  n;

    n = json_integer_value(number);

    return json_is_integer(number) && n >= least && n <= CAM_LAYOUT_GRID
           ? 0 : -1;
}
