/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Tables of comma-separated values (RFC 4180) as bodies of the API: the first
 * line has names of fields, each further one is an object.
 *
 *     name,serialNumber,isRecording,allowedCidrs
 *     "Gate, north",SN-1,true,10.0.0.0/8 192.168.1.1
 *
 * What stands in a cell has the type of its field, items of a list are
 * separated by blanks, and an empty cell is a field that was not sent.  A cell
 * that does not fit its type is a text, which the field then complains about.
 */

#ifndef CAM_CSV_H
#define CAM_CSV_H

#include <jansson.h>
#include <stddef.h>

#include "fields.h"


/*
 * A list of at most that many objects, which is the caller's, or NULL and a
 * sentence's end in err: a column that is no field or comes twice, a line of
 * another number of cells, a quote in a wrong place, text that is no UTF-8.
 */
json_t *cam_csv_read(const char *text, size_t len, const cam_field_t *fields,
    size_t rows, char *err, size_t size);


#endif /* CAM_CSV_H */
