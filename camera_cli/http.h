/*
 * Copyright (C) The nginx camera platform authors
 */

/* GET by libcurl, as a player does it; and a look at a TLS server. */

#ifndef CLI_HTTP_H
#define CLI_HTTP_H

#include <stddef.h>
#include <stdint.h>

#define CLI_HTTP_TIMEOUT_SEC  5


typedef struct {
    long      status;              /* 0: no answer, see error */
    char     *body;                /* NUL-terminated; cli_http_free() */
    size_t    len;
    char      error[256];
} cli_http_t;


typedef struct {
    int       connected;           /* TCP */
    int       secure;              /* TLS */
    char      protocol[16];
    char      subject[128];
    int64_t   not_before;          /* Unix s; 0 without a certificate */
    int64_t   not_after;
    int       self_signed;
    int       trusted;             /* by this machine, for the host's name */
    char      error[256];          /* what failed */
} cli_tls_t;


/*
 * The certificate is not checked: whoever asks has its own check for that, and
 * wants to see the answer nevertheless.  Bodies end at 1 MiB.
 */
void cli_http_get(cli_http_t *http, const char *url);
void cli_http_free(cli_http_t *http);

/* splits "scheme://host:port/..." ; 0/-1 */
int cli_url_split(const char *url, char *host, size_t host_len, char *port,
    size_t port_len);

void cli_tls_look(cli_tls_t *tls, const char *host, const char *port);


#endif /* CLI_HTTP_H */
