/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Fuzz target: tables of comma-separated values.  What is accepted is a list
 * of objects that have fields of the table alone, and no more than may be;
 * what is not, says why.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "csv.h"

#define ROWS  20


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static const cam_field_t  fields[] = {
    { "a", CAM_FIELD_TEXT, 0, 1, 5, NULL, NULL },
    { "b", CAM_FIELD_BOOL, 0, 0, 0, NULL, NULL },
    { "c", CAM_FIELD_INT, 0, -5, 1000000, NULL, NULL },
    { "d", CAM_FIELD_CIDRS, 0, 0, 40, NULL, NULL },
    CAM_FIELD_END
};


static void
must(int promise)
{
    if (!promise) {
        abort();
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char         err[80];
    size_t       i;
    json_t      *list, *row, *value;
    const char  *name;

    err[0] = '\0';
    list = cam_csv_read((const char *) data, size, fields, ROWS, err,
                        sizeof(err));

    if (list == NULL) {
        must(err[0] != '\0');
        return 0;
    }

    must(json_array_size(list) <= ROWS);

    json_array_foreach(list, i, row) {
        must(json_is_object(row));

        json_object_foreach(row, name, value) {
            must(strlen(name) == 1 && name[0] >= 'a' && name[0] <= 'd');
            must(value != NULL);
        }
    }

    json_decref(list);

    return 0;
}
