/*
 * Copyright (C) The nginx camera platform authors
 */

/* How a camera would find the RTMPS port: TCP, handshake, certificate. */

#include <errno.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "http.h"


static int cli_tls_connect(cli_tls_t *tls, const char *host, const char *port);
static void cli_tls_handshake(cli_tls_t *tls, int fd, const char *host);
static void cli_tls_certificate(cli_tls_t *tls, SSL *ssl);
static int64_t cli_tls_time(const ASN1_TIME *at);


void
cli_tls_look(cli_tls_t *tls, const char *host, const char *port)
{
    int  fd;

    memset(tls, 0, sizeof(cli_tls_t));

    fd = cli_tls_connect(tls, host, port);

    if (fd != -1) {
        tls->connected = 1;
        cli_tls_handshake(tls, fd, host);
        close(fd);
    }
}


static int
cli_tls_connect(cli_tls_t *tls, const char *host, const char *port)
{
    int               fd, rc;
    struct addrinfo  *all, *addr, hints;
    struct timeval    timeout = { CLI_HTTP_TIMEOUT_SEC, 0 };

    memset(&hints, 0, sizeof(struct addrinfo));
    hints.ai_socktype = SOCK_STREAM;

    rc = getaddrinfo(host, port, &hints, &all);

    if (rc != 0) {
        snprintf(tls->error, sizeof(tls->error), "\"%s\" has no address (%s)",
                 host, gai_strerror(rc));
        return -1;
    }

    fd = -1;

    for (addr = all; addr && fd == -1; addr = addr->ai_next) {
        fd = socket(addr->ai_family, addr->ai_socktype|SOCK_CLOEXEC, 0);

        if (fd == -1) {
            continue;
        }

        /* the kernel applies the send timeout to connect() too */

        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));

        if (connect(fd, addr->ai_addr, addr->ai_addrlen) == -1) {
            snprintf(tls->error, sizeof(tls->error), "%s", strerror(errno));
            close(fd);
            fd = -1;
        }
    }

    freeaddrinfo(all);

    return fd;
}


static void
cli_tls_handshake(cli_tls_t *tls, int fd, const char *host)
{
    SSL         *ssl;
    SSL_CTX     *ctx;
    const char  *reason;

    ctx = SSL_CTX_new(TLS_client_method());
    ssl = ctx ? SSL_new(ctx) : NULL;

    if (ssl == NULL) {
        SSL_CTX_free(ctx);
        snprintf(tls->error, sizeof(tls->error), "out of memory");
        return;
    }

    SSL_CTX_set_default_verify_paths(ctx);
    SSL_set_tlsext_host_name(ssl, host);
    X509_VERIFY_PARAM_set1_host(SSL_get0_param(ssl), host, 0);
    SSL_set_fd(ssl, fd);

    if (SSL_connect(ssl) == 1) {
        tls->secure = 1;
        snprintf(tls->protocol, sizeof(tls->protocol), "%s",
                 SSL_get_version(ssl));
        cli_tls_certificate(tls, ssl);
        SSL_shutdown(ssl);

    } else {
        reason = ERR_reason_error_string(ERR_peek_last_error());
        snprintf(tls->error, sizeof(tls->error), "%s",
                 reason ? reason : "the connection was closed");
    }

    SSL_free(ssl);
    SSL_CTX_free(ctx);
}


static void
cli_tls_certificate(cli_tls_t *tls, SSL *ssl)
{
    X509  *cert;

    cert = SSL_get1_peer_certificate(ssl);

    if (cert == NULL) {
        return;
    }

    X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName,
                              tls->subject, sizeof(tls->subject));

    tls->not_before = cli_tls_time(X509_get0_notBefore(cert));
    tls->not_after = cli_tls_time(X509_get0_notAfter(cert));
    tls->self_signed = X509_self_signed(cert, 0) == 1;
    tls->trusted = SSL_get_verify_result(ssl) == X509_V_OK;

    if (!tls->trusted) {
        snprintf(tls->error, sizeof(tls->error), "%s",
                 X509_verify_cert_error_string(SSL_get_verify_result(ssl)));
    }

    X509_free(cert);
}


static int64_t
cli_tls_time(const ASN1_TIME *at)
{
    struct tm  tm;

    memset(&tm, 0, sizeof(struct tm));

    return ASN1_TIME_to_tm(at, &tm) == 1 ? timegm(&tm) : 0;
}
