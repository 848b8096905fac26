/*
 * Copyright (C) The nginx camera platform authors
 */

/* What the readers of bodies and of query strings share. */

#ifndef CAM_FIELDS_VALUE_H
#define CAM_FIELDS_VALUE_H

#include "fields.h"


/* the field's place in its table, -1: there is none of that name */
int cam_fields_find(const cam_field_t *fields, const char *name, size_t len);

/* after all that was given: what is missing, and what stands for nothing */
void cam_fields_rest(const cam_field_t *fields, cam_value_t *values,
    cam_problems_t *problems);

/* a problem of a field of the table */
void cam_fields_wrong(const cam_field_t *field, cam_problems_t *problems,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* TEXT, ENUM, UUID, TIME and CURSOR, out of a text with its NUL that lives as
   long as the value */
void cam_fields_text(const cam_field_t *field, const char *text, size_t len,
    cam_value_t *value, cam_problems_t *problems);

/* INT and LIMIT; the number is printed into the room */
void cam_fields_number(const cam_field_t *field, int64_t number,
    cam_value_t *value, cam_room_t *room, cam_problems_t *problems);

void cam_fields_bool(int number, cam_value_t *value);

/* NULL when there is no room */
char *cam_room_take(cam_room_t *room, size_t len);


#endif /* CAM_FIELDS_VALUE_H */
