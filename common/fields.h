/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Input of the API, as data: a table says which fields a body or a query
 * string may have, and everything else is an error.  Every problem is told,
 * not only the first.
 *
 *     static const cam_field_t  fields[] = {
 *         { "name", CAM_FIELD_TEXT, CAM_FIELD_REQUIRED, 1, 100, NULL, NULL },
 *         { "isActive", CAM_FIELD_BOOL, 0, 0, 0, NULL, NULL },
 *         CAM_FIELD_END
 *     };
 *
 * Values come in the order of the table, each as the text that SQL takes for
 * it.  Texts of a body lie in its json_t, those of a query string and lists in
 * the room.
 */

#ifndef CAM_FIELDS_H
#define CAM_FIELDS_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#define CAM_FIELDS_MAX          24      /* of a table */

#define CAM_FIELD_REQUIRED      0x01
#define CAM_FIELD_NULLABLE      0x02
#define CAM_FIELD_SECRET        0x04    /* a text of any characters */

#define CAM_FIELD_LIMIT_DEFAULT 50
#define CAM_FIELD_LIMIT_TEXT    "50"
#define CAM_FIELD_ITEM_MAX      200     /* characters of an item of a list */

#define CAM_FIELD_END           { NULL, CAM_FIELD_TEXT, 0, 0, 0, NULL, NULL }

/* room that is enough for a query string, or a body, of that length */
#define CAM_FIELDS_ROOM(len)    (2 * (len) + 64 * CAM_FIELDS_MAX)

#define CAM_PROBLEMS_MAX        16
#define CAM_PROBLEM_FIELD       64
#define CAM_PROBLEM_MESSAGE     160


typedef enum {
    CAM_FIELD_TEXT,                     /* of min to max characters */
    CAM_FIELD_BOOL,
    CAM_FIELD_INT,                      /* from min to max */
    CAM_FIELD_ENUM,                     /* one of values */
    CAM_FIELD_UUID,
    CAM_FIELD_TIME,                     /* RFC 3339 */
    CAM_FIELD_TEXTS,                    /* a list of min to max texts */
    CAM_FIELD_CIDRS,                    /* the same of networks */
    CAM_FIELD_UUIDS,                    /* the same of UUIDs */
    CAM_FIELD_OBJECTS,                  /* the same of objects, as JSON; what
                                           is in them is for check */
    CAM_FIELD_LIMIT,                    /* size of a page, 50 when not given */
    CAM_FIELD_CURSOR                    /* where a page begins */
} cam_field_type_e;


typedef struct {
    const char         *name;
    cam_field_type_e    type;
    unsigned            flags;
    int64_t             min;
    int64_t             max;
    const char *const  *values;         /* a NULL behind the last */

    /* what else is wrong with the text, or NULL; may be NULL itself */
    const char       *(*check)(const char *text, size_t len);
} cam_field_t;


typedef struct {
    const char         *text;           /* with its NUL; NULL: SQL's NULL */
    size_t              len;
    int64_t             number;         /* of BOOL, INT, LIMIT; of an ENUM its
                                           place; of a TIME Unix ms; of a list
                                           its length */
    unsigned            given;          /* null is given, too */
} cam_value_t;


typedef struct {
    char                field[CAM_PROBLEM_FIELD];
    char                message[CAM_PROBLEM_MESSAGE];
} cam_problem_t;


typedef struct {
    unsigned            n;
    cam_problem_t       list[CAM_PROBLEMS_MAX];
} cam_problems_t;


typedef struct {
    char               *p;
    char               *end;
} cam_room_t;


/* both answer 0 or, when there are problems, -1 */
int cam_fields_body(const cam_field_t *fields, json_t *body,
    cam_value_t *values, cam_room_t *room, cam_problems_t *problems);
int cam_fields_query(const cam_field_t *fields, const char *args, size_t len,
    cam_value_t *values, cam_room_t *room, cam_problems_t *problems);

/* one more, while there is room; field need not end in a NUL */
void cam_fields_problem(cam_problems_t *problems, const char *field,
    size_t len, const char *fmt, ...) __attribute__((format(printf, 4, 5)));


#endif /* CAM_FIELDS_H */
