/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Non-blocking connections, plain or TLS.  A connection is part of its owner
 * and may be opened anew after it was closed; handlers may close it, so
 * c->fd is looked at after each of them.
 */

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "camsim.h"

#define SIM_READ  16384


static int sim_conn_socket(sim_conn_t *c, const sim_url_t *url);
static int sim_conn_connected(sim_conn_t *c);
static int sim_conn_tls(sim_conn_t *c);
static void sim_conn_failed(sim_conn_t *c, const char *what);
static void sim_conn_read(sim_conn_t *c);
static ssize_t sim_conn_write(sim_conn_t *c);
static void sim_conn_blocked(sim_conn_t *c, int blocked);
static void sim_conn_update(sim_conn_t *c);


static SSL_CTX  *sim_tls;


void
sim_buf_add(sim_buf_t *buf, const void *data, size_t size)
{
    size_t  cap;

    if (buf->size + size > buf->cap) {
        cap = buf->cap ? buf->cap : 4096;

        while (cap < buf->size + size) {
            cap *= 2;
        }

        buf->data = realloc(buf->data, cap);
        buf->cap = cap;

        if (buf->data == NULL) {
            abort();
        }
    }

    if (data) {
        memcpy(buf->data + buf->size, data, size);
        buf->size += size;
    }
}


void
sim_buf_take(sim_buf_t *buf, size_t size)
{
    buf->size -= size;
    memmove(buf->data, buf->data + size, buf->size);
}


int
sim_url_parse(sim_url_t *url, const char *text)
{
    size_t              i, len;
    const char         *p, *colon, *slash;
    static const struct {
        const char     *scheme;
        int             port;
        int             tls;
    } schemes[] = {
        { "rtmp://", 1935, 0 },  { "rtmps://", 443, 1 },
        { "http://", 80, 0 },    { "https://", 443, 1 },
    };

    for (i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        len = strlen(schemes[i].scheme);

        if (strncmp(text, schemes[i].scheme, len) == 0) {
            break;
        }
    }

    if (i == sizeof(schemes) / sizeof(schemes[0])) {
        return -1;
    }

    p = text + len;
    slash = strchr(p, '/');

    if (slash == NULL) {
        return -1;
    }

    colon = memchr(p, ':', slash - p);
    len = (colon ? colon : slash) - p;

    if (len == 0 || len >= sizeof(url->host)) {
        return -1;
    }

    memcpy(url->host, p, len);
    url->host[len] = '\0';
    url->port = colon ? atoi(colon + 1) : schemes[i].port;
    url->tls = schemes[i].tls;
    url->path = strdup(slash);

    return 0;
}


void
sim_conn_open(sim_conn_t *c, const sim_url_t *url,
    const sim_conn_handlers_t *handlers, void *data)
{
    c->handlers = handlers;
    c->data = data;
    c->in.size = 0;
    c->out.size = 0;
    c->sent = 0;
    c->blocked_usec = 0;
    c->connecting = 1;
    c->handshaking = url->tls;
    c->want_write = 0;

    if (sim_conn_socket(c, url) == -1) {
        sim_conn_failed(c, strerror(errno));
        return;
    }

    if (!url->tls) {
        return;
    }

    if (sim_tls == NULL) {
        sim_tls = SSL_CTX_new(TLS_client_method());
        SSL_CTX_set_mode(sim_tls, SSL_MODE_ENABLE_PARTIAL_WRITE
                                  |SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER
                                  |SSL_MODE_RELEASE_BUFFERS);
    }

    c->ssl = SSL_new(sim_tls);
    SSL_set_fd(c->ssl, c->fd);
    SSL_set_connect_state(c->ssl);
    SSL_set_tlsext_host_name(c->ssl, url->host);
}


static int
sim_conn_socket(sim_conn_t *c, const sim_url_t *url)
{
    int               rc, on;
    char              port[8];
    struct addrinfo   hints, *ai;

    memset(&hints, 0, sizeof(hints));
    hints.ai_socktype = SOCK_STREAM;
    snprintf(port, sizeof(port), "%d", url->port);

    if (getaddrinfo(url->host, port, &hints, &ai) != 0) {
        c->fd = -1;
        errno = EADDRNOTAVAIL;
        return -1;
    }

    c->fd = socket(ai->ai_family, SOCK_STREAM|SOCK_NONBLOCK|SOCK_CLOEXEC, 0);

    if (c->fd == -1) {
        freeaddrinfo(ai);
        return -1;
    }

    on = 1;

    if (sim_options.quickack) {
        setsockopt(c->fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on));
    }

    rc = connect(c->fd, ai->ai_addr, ai->ai_addrlen);
    freeaddrinfo(ai);

    if (rc == -1 && errno != EINPROGRESS) {
        return -1;
    }

    sim_loop_watch(EPOLL_CTL_ADD, c, EPOLLIN|EPOLLOUT);

    return 0;
}


void
sim_conn_close(sim_conn_t *c)
{
    if (c->fd == -1) {
        return;
    }

    if (c->ssl) {
        SSL_free(c->ssl);
        c->ssl = NULL;
    }

    close(c->fd);
    c->fd = -1;
}


static void
sim_conn_failed(sim_conn_t *c, const char *what)
{
    ERR_clear_error();
    sim_conn_close(c);
    c->handlers->closed(c->data, what);
}


void
sim_conn_event(sim_conn_t *c, uint32_t events)
{
    if (c->fd == -1) {
        return;
    }

    if ((c->connecting && !sim_conn_connected(c))
        || (c->handshaking && !sim_conn_tls(c)))
    {
        return;
    }

    if (events & (EPOLLIN|EPOLLHUP|EPOLLERR)) {
        sim_conn_read(c);
    }

    if (c->fd != -1 && (events & EPOLLOUT)) {
        sim_conn_send(c);
    }
}


static int
sim_conn_connected(sim_conn_t *c)
{
    int                      err;
    socklen_t                len;
    struct sockaddr_storage  peer;

    err = 0;
    len = sizeof(err);
    getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &len);

    if (err) {
        sim_conn_failed(c, strerror(err));
        return 0;
    }

    /* an event of the descriptor's previous life */

    len = sizeof(peer);

    if (getpeername(c->fd, (struct sockaddr *) &peer, &len) == -1) {
        return 0;
    }

    c->connecting = 0;

    if (!c->handshaking) {
        c->handlers->opened(c->data);
    }

    return c->fd != -1;
}


static int
sim_conn_tls(sim_conn_t *c)
{
    int  rc;

    rc = SSL_do_handshake(c->ssl);

    if (rc == 1) {
        c->handshaking = 0;
        c->handlers->opened(c->data);
        return c->fd != -1;
    }

    switch (SSL_get_error(c->ssl, rc)) {

    case SSL_ERROR_WANT_READ:
        c->want_write = 0;
        break;

    case SSL_ERROR_WANT_WRITE:
        c->want_write = 1;
        break;

    default:
        sim_conn_failed(c, "TLS handshake failed");
        return 0;
    }

    sim_conn_update(c);

    return 0;
}


static void
sim_conn_read(sim_conn_t *c)
{
    int      on;
    ssize_t  n;

    for (;;) {
        sim_buf_add(&c->in, NULL, SIM_READ);

        if (c->ssl) {
            n = SSL_read(c->ssl, c->in.data + c->in.size, SIM_READ);

            if (n <= 0) {
                n = SSL_get_error(c->ssl, n) == SSL_ERROR_WANT_READ ? -1 : 0;
                errno = EAGAIN;
            }

        } else {
            n = recv(c->fd, c->in.data + c->in.size, SIM_READ, 0);
        }

        if (n == -1 && errno == EAGAIN) {
            break;
        }

        if (n <= 0) {
            sim_conn_failed(c, n == 0 ? "connection closed by the server"
                                      : strerror(errno));
            return;
        }

        c->in.size += n;
        c->handlers->received(c->data, &c->in);

        if (c->fd == -1) {
            return;
        }

        if (sim_options.quickack) {
            on = 1;
            setsockopt(c->fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on));
        }

        if (n < SIM_READ && c->ssl == NULL) {
            break;
        }
    }
}


/* sends what stands in c->out, the rest when the socket takes it */

void
sim_conn_send(sim_conn_t *c)
{
    ssize_t  n;

    while (c->sent < c->out.size) {
        n = sim_conn_write(c);

        if (n == -1 && errno == EAGAIN) {
            break;
        }

        if (n <= 0) {
            sim_conn_failed(c, strerror(errno));
            return;
        }

        c->sent += n;
    }

    if (c->sent == c->out.size) {
        c->sent = 0;
        c->out.size = 0;
    }

    sim_conn_blocked(c, c->out.size != 0);
    sim_conn_update(c);
}


static ssize_t
sim_conn_write(sim_conn_t *c)
{
    int          rc;
    size_t       size;
    const char  *data;

    data = c->out.data + c->sent;
    size = c->out.size - c->sent;

    if (c->ssl == NULL) {
        return send(c->fd, data, size, MSG_NOSIGNAL);
    }

    rc = SSL_write(c->ssl, data, size);

    if (rc > 0) {
        return rc;
    }

    switch (SSL_get_error(c->ssl, rc)) {

    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        errno = EAGAIN;
        return -1;

    default:
        errno = ECONNRESET;
        return -1;
    }
}


/* a peer that takes nothing for 100 ms stalls us */

static void
sim_conn_blocked(sim_conn_t *c, int blocked)
{
    double  msec;

    if (blocked) {

        if (c->blocked_usec == 0) {
            c->blocked_usec = sim_now_usec();
        }

        return;
    }

    if (c->blocked_usec == 0) {
        return;
    }

    msec = (sim_now_usec() - c->blocked_usec) / 1000.0;
    c->blocked_usec = 0;

    if (msec > 100) {
        sim_stats.stalls++;
    }

    if (msec > sim_stats.stall_msec_max) {
        sim_stats.stall_msec_max = msec;
    }
}


static void
sim_conn_update(sim_conn_t *c)
{
    uint32_t  events;

    events = EPOLLIN;

    if (c->out.size || c->want_write) {
        events |= EPOLLOUT;
    }

    if (events != c->events) {
        sim_loop_watch(EPOLL_CTL_MOD, c, events);
    }
}
