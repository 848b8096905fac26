/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Reads JSON of strangers.  What would cost much more memory than it has bytes
 * is refused before it is parsed: depth, names and items are counted first.
 */

#ifndef CAM_JSON_READ_H
#define CAM_JSON_READ_H

#include <jansson.h>
#include <stddef.h>

#define CAM_JSON_DEPTH_MAX  32
#define CAM_JSON_NAMES_MAX  1000
#define CAM_JSON_ITEMS_MAX  4096      /* commas: of lists and of objects */


/* an object or a list without a name that comes twice, or NULL and a sentence
   in err */
json_t *cam_json_read(const char *text, size_t len, char *err, size_t size);
/* the same with so many names and items instead */
json_t *cam_json_read_within(const char *text, size_t len, unsigned names,
    unsigned items, char *err, size_t size);

/*
 * What is wrong with a list: the first thing that check says of an item of it,
 * or that it is none; NULL: nothing is.  A sentence's end, as of
 * cam_field_t.check.
 */
const char *cam_json_check_list(const char *text, size_t len,
    const char *(*check)(json_t *item));

/* overwrites every text in it and gives it up; NULL is allowed */
void cam_json_wipe(json_t *json);


#endif /* CAM_JSON_READ_H */
