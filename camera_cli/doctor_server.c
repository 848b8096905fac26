/*
 * Copyright (C) The nginx camera platform authors
 */

/* camera doctor: what is the same for all cameras. */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "doctor.h"
#include "http.h"


#define CLI_DOCTOR_EXPIRES_SEC  (14 * 86400)


static void cli_doctor_parts(cli_doctor_t *d, const cli_http_t *http);
static void cli_doctor_certificate(cli_doctor_t *d, const cli_tls_t *tls,
    const char *host);


void
cli_doctor_nginx(cli_doctor_t *d)
{
    char         url[1024];
    pid_t        pid;
    cli_http_t   http;
    const char  *next;

    if (d->cli->env.url == NULL) {
        cli_doctor_note(d, "nginx", CLI_CHECK_FAILED, NULL,
                        "CAMERA_URL is not known");
        return;
    }

    snprintf(url, sizeof(url), "%s/readyz", d->cli->env.url);
    cli_http_get(&http, url);

    if (http.status != 0) {
        d->nginx = 1;
        cli_doctor_parts(d, &http);

    } else {
        pid = d->cli->env.nginx_pid ? atoi(d->cli->env.nginx_pid) : 0;
        next = "start nginx (make run), or look into its error log";

        if (pid > 0 && kill(pid, 0) == -1 && errno == ESRCH) {
            next = "start nginx (make run): its process is gone";
        }

        cli_doctor_note(d, "nginx", CLI_CHECK_FAILED, next,
                        "nginx does not answer at %s: %s", d->cli->env.url,
                        http.error);
    }

    cli_http_free(&http);
}


/* names the parts of /readyz that are not well; "off" is a choice */

static void
cli_doctor_parts(cli_doctor_t *d, const cli_http_t *http)
{
    char         bad[256];
    size_t       n;
    json_t      *root, *part;
    const char  *name, *status;

    root = http->body ? json_loadb(http->body, http->len, 0, NULL) : NULL;
    bad[0] = '\0';
    n = 0;

    json_object_foreach(json_object_get(root, "parts"), name, part) {
        status = cli_string(part, "status");

        if (strcmp(status, "ok") != 0 && strcmp(status, "off") != 0
            && n < sizeof(bad))
        {
            n += (size_t) snprintf(bad + n, sizeof(bad) - n, "%s%s is %s",
                                   n ? ", " : "", name, status);
        }
    }

    if (http->status != 200) {
        cli_doctor_note(d, "nginx", CLI_CHECK_FAILED,
                        "nginx must have read the cameras once: check its "
                        "\"database\" and that PostgreSQL runs",
                        "nginx answers, but is not ready (%ld): %s",
                        http->status, n ? bad : "it does not say why");

    } else if (n) {
        cli_doctor_note(d, "nginx", CLI_CHECK_WARNING,
                        "see docs/operations.md for each part",
                        "nginx is ready, but %s", bad);

    } else {
        cli_doctor_note(d, "nginx", CLI_CHECK_OK, NULL, "nginx is ready");
    }

    json_decref(root);
}


/* where viewers come in, when that is not where doctor fetches the picture */

void
cli_doctor_https(cli_doctor_t *d)
{
    char        url[1024];
    cli_http_t  http;

    if (!d->nginx || d->cli->env.https_url == NULL) {
        return;
    }

    snprintf(url, sizeof(url), "%s/healthz", d->cli->env.https_url);
    cli_http_get(&http, url);

    if (http.status == 200) {
        cli_doctor_note(d, "https", CLI_CHECK_OK, NULL, "nginx answers at %s",
                        d->cli->env.https_url);

    } else {
        cli_doctor_note(d, "https", CLI_CHECK_WARNING,
                        "viewers elsewhere need it: check the port, the "
                        "host's name and firewalls",
                        "nginx does not answer at %s: %s",
                        d->cli->env.https_url,
                        http.status ? "not by 200" : http.error);
    }

    cli_http_free(&http);
}


void
cli_doctor_worker(cli_doctor_t *d)
{
    int64_t  age;

    if (d->shm.error) {
        cli_doctor_note(d, "shm", CLI_CHECK_FAILED,
                        "CAMERA_SHM must name the directory of nginx's \"shm\" "
                        "directive, and this user must be able to read it",
                        "the registry in shared memory cannot be read (%s)",
                        strerror(d->shm.error));
        return;
    }

    age = cli_live_heartbeat(&d->shm);

    if (age == -1) {
        cli_doctor_note(d, "worker", CLI_CHECK_FAILED, "start camera-worker",
                        "camera-worker does not run on this shared memory");

    } else if (age > CLI_LIVE_BEAT_MSEC) {
        cli_doctor_note(d, "worker", CLI_CHECK_FAILED,
                        "start camera-worker, and look into its log for why it "
                        "ended", "camera-worker was last alive %lld s ago",
                        (long long) age / 1000);

    } else {
        cli_doctor_note(d, "worker", CLI_CHECK_OK, NULL,
                        "camera-worker is alive");
    }
}


void
cli_doctor_port(cli_doctor_t *d)
{
    char       host[256], port[16];
    cli_tls_t  tls;

    if (d->cli->env.rtmps_url == NULL
        || cli_url_split(d->cli->env.rtmps_url, host, sizeof(host), port,
                         sizeof(port))
           != 0)
    {
        cli_doctor_note(d, "port", CLI_CHECK_FAILED, NULL,
                        "CAMERA_RTMPS_URL is not known");
        return;
    }

    cli_tls_look(&tls, host, port);
    d->tls = tls.secure;

    if (!tls.connected) {
        cli_doctor_note(d, "port", CLI_CHECK_FAILED,
                        "check that nginx listens there and that no firewall "
                        "is between", "RTMPS port %s of %s is closed: %s",
                        port, host, tls.error);
        return;
    }

    cli_doctor_note(d, "port", CLI_CHECK_OK, NULL,
                    "RTMPS port %s of %s is open", port, host);

    if (!tls.secure) {
        cli_doctor_note(d, "certificate", CLI_CHECK_FAILED,
                        "check \"camera_rtmps on\" and \"camera_certificate\" "
                        "of that port", "the TLS handshake failed: %s",
                        tls.error);
        return;
    }

    cli_doctor_certificate(d, &tls, host);
}


static void
cli_doctor_certificate(cli_doctor_t *d, const cli_tls_t *tls, const char *host)
{
    char     until[32];
    int64_t  now;

    now = time(NULL);
    cli_time_text(until, tls->not_after);

    if (tls->not_after <= now || tls->not_before > now) {
        cli_doctor_note(d, "certificate", CLI_CHECK_FAILED,
                        "install a valid certificate and reload nginx; check "
                        "the clock too", "the certificate \"%s\" is %s",
                        tls->subject, tls->not_after <= now
                        ? "expired" : "not valid yet");

    } else if (tls->not_after - now < CLI_DOCTOR_EXPIRES_SEC) {
        cli_doctor_note(d, "certificate", CLI_CHECK_WARNING,
                        "renew it and reload nginx",
                        "the certificate \"%s\" ends soon (%s)", tls->subject,
                        until);

    } else if (tls->trusted) {
        cli_doctor_note(d, "certificate", CLI_CHECK_OK, NULL,
                        "%s, certificate \"%s\" is trusted until %s",
                        tls->protocol, tls->subject, until);

    } else {
        cli_doctor_note(d, "certificate", CLI_CHECK_WARNING,
                        "cameras that check certificates refuse it: install a "
                        "real one, or switch their check off",
                        "%s, certificate \"%s\" for %s is %s", tls->protocol,
                        tls->subject, host,
                        tls->self_signed ? "self-signed" : tls->error);
    }
}
