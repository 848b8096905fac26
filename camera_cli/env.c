/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Finds the instance: the file of --env, or of $CAMERA_ENV, or var/run.env of
 * the working directory or of the tree bin/camera lies in.  Its lines are
 * NAME=value.  What it does not say is taken from the environment, which is
 * enough on its own in a container.
 */

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"


typedef struct {
    const char  *name;
    size_t       offset;
} cli_env_name_t;


static char *cli_env_find(const cli_t *cli);
static int cli_env_read(cli_env_t *env, FILE *f);
static void cli_env_line(cli_env_t *env, char *line);
static char **cli_env_field(cli_env_t *env, const char *name);
static char **cli_env_at(cli_env_t *env, const cli_env_name_t *name);


static const cli_env_name_t  cli_env_names[] = {
    { "CAMERA_URL",           offsetof(cli_env_t, url) },
    { "CAMERA_HTTPS_URL",     offsetof(cli_env_t, https_url) },
    { "CAMERA_RTMPS_URL",     offsetof(cli_env_t, rtmps_url) },
    { "CAMERA_RTMP_URL",      offsetof(cli_env_t, rtmp_url) },
    { "CAMERA_DATABASE_URL",  offsetof(cli_env_t, database) },
    { "CAMERA_KEYS",          offsetof(cli_env_t, keys) },
    { "CAMERA_SHM",           offsetof(cli_env_t, shm) },
    { "CAMERA_RECORD",        offsetof(cli_env_t, record) },
    { "NGINX_PID",            offsetof(cli_env_t, nginx_pid) },
    { NULL,                   0 }
};


int
cli_env_load(cli_t *cli)
{
    FILE                  *f;
    char                 **field;
    const char            *value;
    const cli_env_name_t  *name;

    cli->env.file = cli_env_find(cli);

    if (cli->env.file) {
        f = fopen(cli->env.file, "re");

        if (f == NULL || cli_env_read(&cli->env, f) != 0) {
            return cli_fail(cli, CLI_INSTANCE,
                            "name the run.env of a started instance with "
                            "--env FILE", "\"%s\" cannot be read (%s)",
                            cli->env.file, strerror(errno));
        }
    }

    for (name = cli_env_names; name->name; name++) {
        field = cli_env_at(&cli->env, name);
        value = getenv(name->name);

        if (*field == NULL && value) {
            *field = strdup(value);
        }
    }

    return 0;
}


static char *
cli_env_find(const cli_t *cli)
{
    char     path[PATH_MAX + 16], *end;
    ssize_t  n;

    if (cli->opt.env) {
        return strdup(cli->opt.env);
    }

    if (getenv("CAMERA_ENV")) {
        return strdup(getenv("CAMERA_ENV"));
    }

    if (access("var/run.env", F_OK) == 0) {
        return strdup("var/run.env");
    }

    n = readlink("/proc/self/exe", path, PATH_MAX);

    if (n <= 0) {
        return NULL;
    }

    path[n] = '\0';
    end = strstr(path, "/bin/camera");

    if (end == NULL) {
        return NULL;
    }

    strcpy(end, "/var/run.env");

    return access(path, F_OK) == 0 ? strdup(path) : NULL;
}


static int
cli_env_read(cli_env_t *env, FILE *f)
{
    int     rc;
    char   *line;
    size_t  cap;

    line = NULL;
    cap = 0;

    while (getline(&line, &cap, f) != -1) {
        cli_env_line(env, line);
    }

    rc = ferror(f) ? -1 : 0;

    free(line);
    fclose(f);

    return rc;
}


static void
cli_env_line(cli_env_t *env, char *line)
{
    char    *value, **field;
    size_t   len;

    line += strspn(line, " \t");

    if (strncmp(line, "export ", 7) == 0) {
        line += 7;
    }

    value = strchr(line, '=');

    if (value == NULL || *line == '#') {
        return;
    }

    *value++ = '\0';
    value[strcspn(value, "\r\n")] = '\0';
    len = strlen(value);

    if (len >= 2 && (*value == '\'' || *value == '"')
        && value[len - 1] == *value)
    {
        value[len - 1] = '\0';
        value++;
    }

    field = cli_env_field(env, line);

    if (field && *value) {
        free(*field);
        *field = strdup(value);
    }
}


static char **
cli_env_field(cli_env_t *env, const char *name)
{
    const cli_env_name_t  *known;

    for (known = cli_env_names; known->name; known++) {
        if (strcmp(known->name, name) == 0) {
            return cli_env_at(env, known);
        }
    }

    return NULL;
}


static char **
cli_env_at(cli_env_t *env, const cli_env_name_t *name)
{
    return (char **) ((char *) env + name->offset);
}


void
cli_env_free(cli_env_t *env)
{
    const cli_env_name_t  *known;

    for (known = cli_env_names; known->name; known++) {
        free(*cli_env_at(env, known));
    }

    free(env->file);
}


int
cli_keys_load(cli_t *cli)
{
    char  err[256];

    if (cli->env.keys == NULL) {
        return cli_fail(cli, CLI_INSTANCE,
                        "set CAMERA_KEYS to the file that nginx's \"keys\" "
                        "directive names", "CAMERA_KEYS is not known");
    }

    if (cam_keys_load(&cli->keys, cli->env.keys, err, sizeof(err)) != 0) {
        return cli_fail(cli, CLI_INSTANCE,
                        "run as the owner of the file; a new one is made by "
                        "\"camera keys init FILE\"",
                        "no usable signing keys: \"%s\" %s", cli->env.keys,
                        err);
    }

    return 0;
}
