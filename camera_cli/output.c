/*
 * Copyright (C) The nginx camera platform authors
 */

/* What commands print, for programs (--json) and for people. */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli.h"


int
cli_fail(const cli_t *cli, int code, const char *next, const char *fmt, ...)
{
    char      text[1024];
    json_t   *error;
    va_list   args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);

    if (cli->opt.json) {
        error = json_pack("{s:{s:s, s:s?}}", "error", "message", text,
                          "next", next);
        return cli_answer(cli, code, error, NULL);
    }

    fprintf(stderr, "camera: %s\n", text);

    if (next) {
        fprintf(stderr, "  next: %s\n", next);
    }

    return code;
}


int
cli_answer(const cli_t *cli, int code, json_t *value,
    void (*print)(json_t *value))
{
    if (value == NULL) {
        fprintf(stderr, "camera: out of memory, or a value is not UTF-8\n");
        return CLI_REFUSED;
    }

    if (cli->opt.json) {
        json_dumpf(value, stdout, JSON_INDENT(2)|JSON_PRESERVE_ORDER);
        putchar('\n');

    } else {
        print(value);
    }

    json_decref(value);

    if (fflush(stdout) != 0) {
        perror("camera: standard output");
        return CLI_REFUSED;
    }

    return code;
}


const char *
cli_string(json_t *object, const char *name)
{
    const char  *value;

    value = json_string_value(json_object_get(object, name));

    return value ? value : "";
}


void
cli_field(const char *label, const char *value)
{
    if (value && *value) {
        printf("  %-14s %s\n", label, value);
    }
}


char *
cli_time_text(char text[32], int64_t sec)
{
    time_t     t;
    struct tm  tm;

    t = (time_t) sec;
    text[0] = '\0';

    if (gmtime_r(&t, &tm)) {
        strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
    }

    return text;
}


const char *
cli_ago(char text[32], int64_t sec)
{
    if (sec < 0) {
        sec = 0;
    }

    if (sec < 120) {
        snprintf(text, 32, "%d s", (int) sec);

    } else if (sec < 7200) {
        snprintf(text, 32, "%d min", (int) (sec / 60));

    } else if (sec < 172800) {
        snprintf(text, 32, "%d h", (int) (sec / 3600));

    } else {
        snprintf(text, 32, "%lld days", (long long) (sec / 86400));
    }

    return text;
}
