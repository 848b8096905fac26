/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The files of one volume's journal: a directory of names that sort by time,
 * of which only the newest grows.  No knowledge of what is in them.
 */

#ifndef CW_JOBS_FILES_H
#define CW_JOBS_FILES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define CW_JOBS_FILES_NAME  18           /* "1790000000000.log" and a NUL */


typedef struct {
    int       fd;                        /* of the directory */
    int       n;
    char    (*name)[CW_JOBS_FILES_NAME]; /* oldest first */
} cw_jobs_files_t;


/* volume is the descriptor of its directory; 0, or -1: there is none */
int cw_jobs_files_list(cw_jobs_files_t *files, int volume);
void cw_jobs_files_free(cw_jobs_files_t *files);

/* the file of this name, or the one after it; -1 when there is none */
int cw_jobs_files_find(const cw_jobs_files_t *files, const char *name);

/* how many bytes there are from that place in that file on */
int64_t cw_jobs_files_pending(const cw_jobs_files_t *files, int current,
    const char *name, int64_t position);

/* bytes of file n, of those that were found; 0: its end, -1: it cannot be read,
   and that was logged */
ssize_t cw_jobs_files_read(const cw_jobs_files_t *files, int n,
    int64_t position, char *buf, size_t size);

/* those before this one, once the newest has lines */
void cw_jobs_files_remove(const cw_jobs_files_t *files, const char *name);


#endif /* CW_JOBS_FILES_H */
