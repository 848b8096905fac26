/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Journals into the database, each line exactly once.  How far a volume's
 * journal has been applied is a row, changed in the transaction that applies
 * the lines.  Each transaction asks for it first, behind a lock: one that we
 * gave up waiting for may still be at it, and may still commit.
 *
 * A line that is no good is said, raised as an alert and passed over.  When
 * the database refuses a transaction for what it was given, all its lines are
 * suspects: they come again, a transaction each, and the one that is refused
 * alone is the bad one.  For any other reason than its values a line is tried
 * until it is in.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "count.h"
#include "jobs.h"
#include "jobs_files.h"
#include "jobs_line.h"
#include "log.h"

#define CW_JOURNAL_BATCH  500            /* lines in a transaction */
#define CW_JOURNAL_READ   (256 * 1024)
#define CW_JOURNAL_BAD    1


static int cw_journal_transaction(cw_jobs_t *j, cw_jobs_volume_t *v,
    const cw_jobs_files_t *files);
static void cw_journal_committed(cw_jobs_volume_t *v, int lines);
static int cw_journal_begin(cw_jobs_t *j, cw_jobs_volume_t *v);
static int cw_journal_where(cw_jobs_t *j, cw_jobs_volume_t *v);
static int cw_journal_apply(cw_jobs_t *j, cw_jobs_volume_t *v,
    const cw_jobs_files_t *files, int current);
static int64_t cw_journal_lines(cw_jobs_t *j, cw_jobs_volume_t *v, char *buf,
    size_t len, int *lines);
static int cw_journal_line(cw_jobs_t *j, cw_jobs_volume_t *v,
    const char *text, size_t len, int first);
static int cw_journal_bad(cw_jobs_t *j, cw_jobs_volume_t *v, const char *why);
static int cw_journal_commit(cw_jobs_t *j, cw_jobs_volume_t *v,
    const char *file, int64_t position);
static int cw_journal_failed(cw_jobs_t *j, cw_jobs_volume_t *v);


int
cw_jobs_journal(cw_jobs_t *j, cw_jobs_volume_t *v)
{
    int              more, current;
    cw_jobs_files_t  files;

    if (cw_jobs_files_list(&files, v->fd) == -1) {
        return 0;
    }

    more = 0;

    if (v->journal.connects == j->db.connects || cw_journal_where(j, v) == 0) {

        current = cw_jobs_files_find(&files, v->journal.file);
        v->journal.pending = cw_jobs_files_pending(&files, current,
                                                   v->journal.file,
                                                   v->journal.position);

        if (current != -1
            && (v->journal.pending > v->journal.torn
                || current < files.n - 1))
        {
            more = cw_journal_transaction(j, v, &files);
        }

        cw_jobs_files_remove(&files, v->journal.file);
    }

    cw_jobs_files_free(&files);

    return more;
}


/* 1 when there is more to do at once */

static int
cw_journal_transaction(cw_jobs_t *j, cw_jobs_volume_t *v,
    const cw_jobs_files_t *files)
{
    int  current, lines;

    if (cw_journal_begin(j, v) == -1) {
        return cw_journal_failed(j, v);
    }

    current = cw_jobs_files_find(files, v->journal.file);
    lines = current == -1 ? 0 : cw_journal_apply(j, v, files, current);

    if (lines == -1) {
        return cw_journal_failed(j, v);
    }

    if (cw_db_do(&j->db, "COMMIT", 0, NULL) == -1) {
        return cw_journal_failed(j, v);
    }

    cw_journal_committed(v, lines);

    return lines > 0 || current < files->n - 1;
}


static void
cw_journal_committed(cw_jobs_volume_t *v, int lines)
{
    cw_count(CAM_METRIC_JOURNAL_LINES, lines);
    v->journal.skip = 0;

    if (v->journal.careful > 0) {
        v->journal.careful -= lines;
    }

    if (v->journal.bad[0] != '\0') {
        cw_count(CAM_METRIC_JOURNAL_SKIPPED, 1);
        cw_log(CW_LOG_WARN, 0, "a line of the journal \"%s\" before byte %"
               PRId64 " of \"%s\" %s", v->path, v->journal.position,
               v->journal.file, v->journal.bad);
    }
}


static int
cw_journal_begin(cw_jobs_t *j, cw_jobs_volume_t *v)
{
    const char  *values[] = { v->text };

    v->journal.bad[0] = '\0';

    if (cw_db_do(&j->db, "BEGIN", 0, NULL) == -1
        || cw_db_do(&j->db, "SELECT pg_advisory_xact_lock("
                    "hashtextextended('record_journal ' || $1, 0))", 1, values)
           == -1)
    {
        return -1;
    }

    return cw_journal_where(j, v);
}


static int
cw_journal_where(cw_jobs_t *j, cw_jobs_volume_t *v)
{
    PGresult    *rows;
    const char  *values[] = { v->text };

    rows = cw_db_query(&j->db, "SELECT file, position FROM record_journal"
                       " WHERE volume_id = $1", 1, values);

    if (rows == NULL) {
        return -1;
    }

    v->journal.file[0] = '\0';
    v->journal.position = 0;

    if (PQntuples(rows) == 1) {
        snprintf(v->journal.file, sizeof(v->journal.file), "%s",
                 PQgetvalue(rows, 0, 0));
        v->journal.position = cw_db_number(rows, 0, 1);
    }

    v->journal.connects = j->db.connects;
    PQclear(rows);

    return 0;
}


/* the next lines of the current file, or the step to the next file; answers
   how many lines, or -1 */

static int
cw_journal_apply(cw_jobs_t *j, cw_jobs_volume_t *v,
    const cw_jobs_files_t *files, int current)
{
    int      lines;
    char    *buf;
    int64_t  used, position;
    ssize_t  n;

    position = strcmp(files->name[current], v->journal.file) == 0
               ? v->journal.position : 0;

    buf = malloc(CW_JOURNAL_READ);

    if (buf == NULL) {
        return -1;
    }

    lines = 0;
    n = cw_jobs_files_read(files, current, position, buf, CW_JOURNAL_READ);
    used = n > 0 ? cw_journal_lines(j, v, buf, n, &lines) : 0;
    free(buf);

    if (used == -1) {
        return -1;
    }

    v->journal.torn = used == 0 ? v->journal.pending : 0;

    if (used > 0 || current == files->n - 1) {
        return cw_journal_commit(j, v, files->name[current], position + used)
               == -1 ? -1 : lines;
    }

    if (n == -1 && cw_journal_bad(j, v, "cannot be read") == -1) {
        return -1;
    }

    /* it was the newest file once, and nobody goes on with what it ends in;
       the recorder says again what is open, so that is no alert */

    if (n > 0) {
        strcpy(v->journal.bad, "was never finished");
    }

    v->journal.torn = 0;

    return cw_journal_commit(j, v, files->name[current + 1], 0) == -1 ? -1 : 0;
}


/* answers the bytes of the lines that were applied or passed over, or -1; a
   bad line has a transaction to itself */

static int64_t
cw_journal_lines(cw_jobs_t *j, cw_jobs_volume_t *v, char *buf, size_t len,
    int *lines)
{
    int    rc, max;
    char  *p, *end, *line;

    max = v->journal.careful > 0 ? 1 : CW_JOURNAL_BATCH;
    p = buf;
    end = buf + len;

    while (*lines < max && (line = memchr(p, '\n', end - p)) != NULL) {

        rc = cw_journal_line(j, v, p, line - p, *lines == 0);

        if (rc == -1) {
            return -1;
        }

        if (rc == CW_JOURNAL_BAD && *lines > 0) {
            break;
        }

        p = line + 1;
        (*lines)++;

        if (rc == CW_JOURNAL_BAD) {
            break;
        }
    }

    if (p == buf && len == CW_JOURNAL_READ) {
        if (cw_journal_bad(j, v, "is longer than any line") == -1) {
            return -1;
        }

        p = end;
        (*lines)++;
    }

    return p - buf;
}


/* 0, CW_JOURNAL_BAD, or -1; only the first one of a transaction is noted */

static int
cw_journal_line(cw_jobs_t *j, cw_jobs_volume_t *v, const char *text,
    size_t len, int first)
{
    int             rc;
    char            err[128];
    cw_jobs_line_t  line;

    if (v->journal.skip) {
        return cw_journal_bad(j, v, "was refused by the database");
    }

    if (cw_jobs_line_parse(&line, v->text, text, len, err, sizeof(err)) == -1)
    {
        return first ? cw_journal_bad(j, v, err) : CW_JOURNAL_BAD;
    }

    rc = cw_db_do(&j->db, line.sql, line.n, line.value);
    cw_jobs_line_free(&line);

    return rc;
}


/* the alert is as much part of the transaction as the line would have been */

static int
cw_journal_bad(cw_jobs_t *j, cw_jobs_volume_t *v, const char *why)
{
    char         message[256];
    const char  *values[] = { message };

    snprintf(v->journal.bad, sizeof(v->journal.bad), "%s", why);
    snprintf(message, sizeof(message), "A line in the journal of the volume "
             "\"%.100s\" %s; it was left out.", v->path, why);

    return cw_db_do(&j->db, "SELECT journal_alert('journal_damaged',"
                    " 'medium', NULL, $1)", 1, values)
           == -1 ? -1 : CW_JOURNAL_BAD;
}


static int
cw_journal_commit(cw_jobs_t *j, cw_jobs_volume_t *v, const char *file,
    int64_t position)
{
    char         number[CW_JOBS_LINE_NUMBER];
    const char  *values[] = { v->text, file, number };

    snprintf(number, sizeof(number), "%" PRId64, position);

    if (cw_db_do(&j->db, "SELECT journal_position($1, $2, $3)", 3, values)
        == -1)
    {
        return -1;
    }

    snprintf(v->journal.file, sizeof(v->journal.file), "%s", file);
    v->journal.position = position;

    return 0;
}


/* what has happened then is asked before the next try; 1: try at once */

static int
cw_journal_failed(cw_jobs_t *j, cw_jobs_volume_t *v)
{
    int  refused;

    refused = cw_db_refused(&j->db);

    v->journal.connects = 0;
    v->journal.torn = 0;

    if (j->db.pg != NULL) {
        (void) cw_db_do(&j->db, "ROLLBACK", 0, NULL);
    }

    if (!refused) {
        return 0;
    }

    if (v->journal.careful > 0) {
        v->journal.skip = 1;

    } else {
        v->journal.careful = CW_JOURNAL_BATCH;
    }

    return 1;
}
