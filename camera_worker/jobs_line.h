/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * A line of a journal as a statement: docs/recording.md has the lines, here is
 * the function of the database that each of them calls, and its arguments.
 * No knowledge of files or connections.
 */

#ifndef CW_JOBS_LINE_H
#define CW_JOBS_LINE_H

#include <jansson.h>
#include <stddef.h>

#include "uuid.h"

#define CW_JOBS_LINE_VALUES  12
#define CW_JOBS_LINE_NUMBER  24          /* longest 64-bit number, and a NUL */


typedef struct {
    const char   *sql;
    int           n;
    const char   *value[CW_JOBS_LINE_VALUES];

    json_t       *json;                  /* of which the texts are */
    char          number[CW_JOBS_LINE_VALUES][CW_JOBS_LINE_NUMBER];
} cw_jobs_line_t;


/*
 * volume is the text of its id and the first value of each statement.  0, or
 * -1 and a sentence in err when it is not a line that we know.
 */
int cw_jobs_line_parse(cw_jobs_line_t *line, const char *volume,
    const char *text, size_t len, char *err, size_t size);
void cw_jobs_line_free(cw_jobs_line_t *line);


#endif /* CW_JOBS_LINE_H */
