/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * How fast a page of 50 cameras can be had from PostgreSQL at all: libpq on
 * four connections with one query each, results in binary, JSON written by
 * hand into one buffer that nobody reads.  No HTTP, no token, no limit, no
 * log, no row-level security; it shares no code with what it is compared to.
 *
 *   usage: libpq_page CONNINFO SECONDS TENANT...
 *
 * Prints pages a second and the bytes of the last page.
 */

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

#define CONNECTIONS  4
#define ROWS         50
#define UNIX_2000    946684800               /* PostgreSQL's epoch */

typedef void (*write_pt)(const char *value, int len);

typedef struct {
    const char  *name;
    write_pt     write;
} column_t;


static void write_text(const char *value, int len);
static void write_bool(const char *value, int len);
static void write_uuid(const char *value, int len);
static void write_time(const char *value, int len);
static void write_networks(const char *value, int len);


static const char  sql[] =
    "SELECT id, external_id, name, company, model, serial_number, location,"
    " place, NULL::text, is_active, is_recording, stream_status,"
    " assigned_node, allowed_cidrs, cut_at_expiry, created_at, updated_at"
    " FROM cameras WHERE tenant_id = $1 AND deleted_at IS NULL"
    " ORDER BY created_at, id LIMIT 51";

static const column_t  columns[] = {
    { "id", write_uuid },
    { "externalId", write_text },
    { "name", write_text },
    { "company", write_text },
    { "model", write_text },
    { "serialNumber", write_text },
    { "location", write_text },
    { "place", write_text },
    { "rtmpUrl", write_text },
    { "isActive", write_bool },
    { "isRecording", write_bool },
    { "streamStatus", write_text },
    { "assignedNode", write_text },
    { "allowedCidrs", write_networks },
    { "cutAtExpiry", write_bool },
    { "createdAt", write_time },
    { "updatedAt", write_time }
};

#define COLUMNS  (int) (sizeof(columns) / sizeof(columns[0]))

static char  buffer[1 << 20];
static char *end;

static const char  hex[] = "0123456789abcdef";


static void
die(const char *what, const char *why)
{
    fprintf(stderr, "libpq_page: %s failed: %s\n", what, why);
    exit(1);
}


static void
put(const char *text)
{
    end = stpcpy(end, text);
}


static void
write_text(const char *value, int len)
{
    *end++ = '"';

    for ( /* void */ ; len; value++, len--) {
        unsigned char  c = (unsigned char) *value;

        if (c == '"' || c == '\\') {
            *end++ = '\\';
            *end++ = (char) c;

        } else if (c < 0x20) {
            end += sprintf(end, "\\u%04x", c);

        } else {
            *end++ = (char) c;
        }
    }

    *end++ = '"';
}


static void
write_bool(const char *value, int len)
{
    put(*value ? "true" : "false");
}


static void
write_uuid(const char *value, int len)
{
    *end++ = '"';

    for (int i = 0; i < 16; i++) {
        unsigned char  c = (unsigned char) value[i];

        if (i == 4 || i == 6 || i == 8 || i == 10) {
            *end++ = '-';
        }

        *end++ = hex[c >> 4];
        *end++ = hex[c & 15];
    }

    *end++ = '"';
}


static void
put_digits(int n, int width)
{
    for (int i = width - 1; i >= 0; i--) {
        end[i] = (char) ('0' + n % 10);
        n /= 10;
    }

    end += width;
}


static void
write_time(const char *value, int len)
{
    time_t     sec;
    int64_t    usec;
    struct tm  tm;

    memcpy(&usec, value, sizeof(usec));
    usec = (int64_t) be64toh((uint64_t) usec);

    sec = usec / 1000000 + UNIX_2000;
    gmtime_r(&sec, &tm);

    *end++ = '"';
    put_digits(tm.tm_year + 1900, 4);
    *end++ = '-';
    put_digits(tm.tm_mon + 1, 2);
    *end++ = '-';
    put_digits(tm.tm_mday, 2);
    *end++ = 'T';
    put_digits(tm.tm_hour, 2);
    *end++ = ':';
    put_digits(tm.tm_min, 2);
    *end++ = ':';
    put_digits(tm.tm_sec, 2);
    *end++ = '.';
    put_digits((int) (usec % 1000000 / 1000), 3);
    put("Z\"");
}


/* the benchmark's cameras have none; their form on the wire is not decoded */

static void
write_networks(const char *value, int len)
{
    int32_t  dimensions;

    memcpy(&dimensions, value, sizeof(dimensions));

    if (dimensions != 0) {
        die("page", "a camera has networks");
    }

    put("[]");
}


static void
write_page(const PGresult *res)
{
    int  row, col, rows;

    rows = PQntuples(res);

    if (rows > ROWS) {
        rows = ROWS;                    /* the last says that more follow */
    }

    end = buffer;
    *end++ = '[';

    for (row = 0; row < rows; row++) {
        put(row ? ",{" : "{");

        for (col = 0; col < COLUMNS; col++) {
            put(col ? ",\"" : "\"");
            put(columns[col].name);
            put("\":");

            if (PQgetisnull(res, row, col)) {
                put("null");
                continue;
            }

            columns[col].write(PQgetvalue(res, row, col),
                               PQgetlength(res, row, col));
        }

        *end++ = '}';
    }

    *end++ = ']';

    if (rows < ROWS) {
        die("page", "it is not full");
    }
}


static PGconn *
connect_to(const char *conninfo)
{
    PGconn    *conn;
    PGresult  *res;

    conn = PQconnectdb(conninfo);

    if (PQstatus(conn) != CONNECTION_OK) {
        die("PQconnectdb()", PQerrorMessage(conn));
    }

    res = PQprepare(conn, "page", sql, 0, NULL);

    if (PQresultStatus(res) != PGRES_COMMAND_OK) {
        die("PQprepare()", PQerrorMessage(conn));
    }

    PQclear(res);

    return conn;
}


static void
ask(PGconn *conn, char **tenants, int n)
{
    static int   last;
    const char  *tenant = tenants[last++ % n];

    if (PQsendQueryPrepared(conn, "page", 1, &tenant, NULL, NULL, 1) != 1
        || PQflush(conn) != 0)
    {
        die("PQsendQueryPrepared()", PQerrorMessage(conn));
    }
}


/* 1 when a page was read */

static int
answer(PGconn *conn)
{
    PGresult  *res;

    if (PQconsumeInput(conn) != 1) {
        die("PQconsumeInput()", PQerrorMessage(conn));
    }

    if (PQisBusy(conn)) {
        return 0;
    }

    res = PQgetResult(conn);

    if (PQresultStatus(res) != PGRES_TUPLES_OK) {
        die("query", PQerrorMessage(conn));
    }

    write_page(res);
    PQclear(res);

    while ((res = PQgetResult(conn)) != NULL) {
        PQclear(res);
    }

    return 1;
}


static double
now(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return (double) ts.tv_sec + (double) ts.tv_nsec / 1e9;
}


int
main(int argc, char **argv)
{
    int                  i, n, ep;
    long                 pages;
    double               start, stop;
    PGconn              *conn;
    struct epoll_event   ev, events[CONNECTIONS];

    if (argc < 4) {
        die("usage", "libpq_page CONNINFO SECONDS TENANT...");
    }

    ep = epoll_create1(0);

    for (i = 0; i < CONNECTIONS; i++) {
        conn = connect_to(argv[1]);
        ev.events = EPOLLIN;
        ev.data.ptr = conn;

        if (epoll_ctl(ep, EPOLL_CTL_ADD, PQsocket(conn), &ev) == -1) {
            die("epoll_ctl()", strerror(errno));
        }

        ask(conn, argv + 3, argc - 3);
    }

    pages = 0;
    start = now();
    stop = start + atof(argv[2]);

    while (now() < stop) {
        n = epoll_wait(ep, events, CONNECTIONS, 1000);

        for (i = 0; i < n; i++) {
            conn = events[i].data.ptr;

            if (answer(conn)) {
                pages++;
                ask(conn, argv + 3, argc - 3);
            }
        }
    }

    printf("%.1f %td\n", (double) pages / (now() - start), end - buffer);

    return 0;
}
