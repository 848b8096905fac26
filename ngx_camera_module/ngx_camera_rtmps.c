/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * TLS inside the RTMP listener.  nginx-rtmp has none of its own, but all its
 * I/O goes through c->recv and c->send, so the listener's handler is wrapped:
 * handshake first, then the package's own ngx_rtmp_init_connection().  There
 * is no second hop, and the session sees the true address of the camera.
 *
 *     server {
 *         listen                  1936;
 *         camera_rtmps            on;
 *         camera_certificate      /etc/camera/tls/cert.pem;
 *         camera_certificate_key  /etc/camera/tls/key.pem;
 *     }
 *
 * Everything that can be wrong is found while the configuration is read: a
 * failing init_module would end a running master on reload.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_event_openssl.h>
#include <ngx_rtmp.h>

#include "ngx_camera_ingest.h"
#include "ngx_camera_metrics.h"


typedef struct {
    ngx_flag_t   enable;
    ngx_flag_t   plain;            /* unencrypted off loopback is wanted */
    ngx_str_t    certificate;
    ngx_str_t    certificate_key;
    ngx_msec_t   timeout;          /* of the whole TLS handshake */
    ngx_ssl_t    ssl;
} ngx_camera_rtmps_conf_t;


static void ngx_camera_rtmps_accept(ngx_connection_t *c);
static ngx_rtmp_addr_conf_t *ngx_camera_rtmps_addr_conf(ngx_connection_t *c);
static ngx_int_t ngx_camera_rtmps_start(ngx_connection_t *c,
    ngx_camera_rtmps_conf_t *conf);
static void ngx_camera_rtmps_handshake_done(ngx_connection_t *c);
static void ngx_camera_rtmps_close(ngx_connection_t *c);
static void ngx_camera_rtmps_cleanup(void *data);
static u_char *ngx_camera_rtmps_log_error(ngx_log_t *log, u_char *buf,
    size_t len);
static ngx_int_t ngx_camera_rtmps_disconnect(ngx_rtmp_session_t *s,
    ngx_rtmp_header_t *h, ngx_chain_t *in);
static void *ngx_camera_rtmps_create_conf(ngx_conf_t *cf);
static char *ngx_camera_rtmps_merge_conf(ngx_conf_t *cf, void *parent,
    void *child);
static ngx_int_t ngx_camera_rtmps_postconfiguration(ngx_conf_t *cf);
static ngx_int_t ngx_camera_rtmps_check_listen(ngx_conf_t *cf,
    ngx_rtmp_listen_t *listen);
static ngx_uint_t ngx_camera_rtmps_local(struct sockaddr *sa);
static ngx_int_t ngx_camera_rtmps_init_module(ngx_cycle_t *cycle);
static ngx_uint_t ngx_camera_rtmps_listens(ngx_listening_t *ls);


static ngx_command_t  ngx_camera_rtmps_commands[] = {

    { ngx_string("camera_rtmps"),
      NGX_RTMP_MAIN_CONF|NGX_RTMP_SRV_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_RTMP_SRV_CONF_OFFSET,
      offsetof(ngx_camera_rtmps_conf_t, enable),
      NULL },

    { ngx_string("camera_plain_rtmp"),
      NGX_RTMP_MAIN_CONF|NGX_RTMP_SRV_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_RTMP_SRV_CONF_OFFSET,
      offsetof(ngx_camera_rtmps_conf_t, plain),
      NULL },

    { ngx_string("camera_certificate"),
      NGX_RTMP_MAIN_CONF|NGX_RTMP_SRV_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      NGX_RTMP_SRV_CONF_OFFSET,
      offsetof(ngx_camera_rtmps_conf_t, certificate),
      NULL },

    { ngx_string("camera_certificate_key"),
      NGX_RTMP_MAIN_CONF|NGX_RTMP_SRV_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      NGX_RTMP_SRV_CONF_OFFSET,
      offsetof(ngx_camera_rtmps_conf_t, certificate_key),
      NULL },

    { ngx_string("camera_rtmps_timeout"),
      NGX_RTMP_MAIN_CONF|NGX_RTMP_SRV_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_RTMP_SRV_CONF_OFFSET,
      offsetof(ngx_camera_rtmps_conf_t, timeout),
      NULL },

      ngx_null_command
};


static ngx_rtmp_module_t  ngx_camera_rtmps_module_ctx = {
    NULL,                                  /* preconfiguration */
    ngx_camera_rtmps_postconfiguration,    /* postconfiguration */
    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */
    ngx_camera_rtmps_create_conf,          /* create server configuration */
    ngx_camera_rtmps_merge_conf,           /* merge server configuration */
    NULL,                                  /* create app configuration */
    NULL                                   /* merge app configuration */
};


ngx_module_t  ngx_camera_rtmps_module = {
    NGX_MODULE_V1,
    &ngx_camera_rtmps_module_ctx,          /* module context */
    ngx_camera_rtmps_commands,             /* module directives */
    NGX_RTMP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    ngx_camera_rtmps_init_module,          /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static void
ngx_camera_rtmps_accept(ngx_connection_t *c)
{
    ngx_int_t                 rc;
    ngx_rtmp_addr_conf_t     *addr;
    ngx_camera_rtmps_conf_t  *conf;

    c->log->connection = c->number;
    c->log->data = c;
    c->log->handler = ngx_camera_rtmps_log_error;
    c->log->action = "TLS handshaking";
    c->log_error = NGX_ERROR_INFO;

    addr = ngx_camera_rtmps_addr_conf(c);

    if (addr == NULL) {
        ngx_camera_rtmps_close(c);
        return;
    }

    conf = ngx_rtmp_get_module_srv_conf(addr->ctx, ngx_camera_rtmps_module);

    if (!conf->enable) {
        ngx_rtmp_init_connection(c);
        return;
    }

    if (ngx_camera_rtmps_start(c, conf) != NGX_OK) {
        ngx_camera_rtmps_close(c);
        return;
    }

    rc = ngx_ssl_handshake(c);

    if (rc == NGX_AGAIN) {
        c->ssl->handler = ngx_camera_rtmps_handshake_done;
        return;
    }

    ngx_camera_rtmps_handshake_done(c);
}


/* the server {} of the address the client came to, as nginx-rtmp finds it */

static ngx_rtmp_addr_conf_t *
ngx_camera_rtmps_addr_conf(ngx_connection_t *c)
{
    ngx_uint_t            i;
    ngx_rtmp_port_t      *port;
    struct sockaddr_in   *sin;
    ngx_rtmp_in_addr_t   *addr;
    struct sockaddr_in6  *sin6;
    ngx_rtmp_in6_addr_t  *addr6;

    port = c->listening->servers;

    if (port->naddrs > 1
        && ngx_connection_local_sockaddr(c, NULL, 0) != NGX_OK)
    {
        return NULL;
    }

    /* with several addresses the last one is the wildcard */

    if (c->local_sockaddr->sa_family == AF_INET6) {
        addr6 = port->addrs;
        sin6 = (struct sockaddr_in6 *) c->local_sockaddr;

        for (i = 0; i < port->naddrs - 1; i++) {
            if (ngx_memcmp(&addr6[i].addr6, &sin6->sin6_addr, 16) == 0) {
                break;
            }
        }

        return &addr6[i].conf;
    }

    addr = port->addrs;
    sin = (struct sockaddr_in *) c->local_sockaddr;

    for (i = 0; i < port->naddrs - 1; i++) {
        if (addr[i].addr == sin->sin_addr.s_addr) {
            break;
        }
    }

    return &addr[i].conf;
}


static ngx_int_t
ngx_camera_rtmps_start(ngx_connection_t *c, ngx_camera_rtmps_conf_t *conf)
{
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(c->pool, 0);
    if (cln == NULL) {
        return NGX_ERROR;
    }

    if (ngx_tcp_nodelay(c) != NGX_OK
        || ngx_ssl_create_connection(&conf->ssl, c, 0) != NGX_OK)
    {
        return NGX_ERROR;
    }

    cln->handler = ngx_camera_rtmps_cleanup;
    cln->data = c->ssl->connection;

    /* never set again, so that a client cannot stretch it byte by byte */
    ngx_add_timer(c->read, conf->timeout);

    return NGX_OK;
}


static void
ngx_camera_rtmps_handshake_done(ngx_connection_t *c)
{
    if (!c->ssl->handshaked) {

        if (c->read->timedout) {
            ngx_log_error(NGX_LOG_INFO, c->log, NGX_ETIMEDOUT,
                          "client timed out");
        }

        ngx_camera_count(CAM_METRIC_RTMPS_FAILED, 1);
        ngx_camera_rtmps_close(c);
        return;
    }

    ngx_camera_count(CAM_METRIC_RTMPS_OK, 1);

    if (c->read->timer_set) {
        ngx_del_timer(c->read);
    }

    c->log->action = "starting a session";

    ngx_rtmp_init_connection(c);
}


static void
ngx_camera_rtmps_close(ngx_connection_t *c)
{
    ngx_pool_t  *pool;

#if (NGX_STAT_STUB)
    (void) ngx_atomic_fetch_add(ngx_stat_active, -1);
#endif

    pool = c->pool;

    c->destroyed = 1;

    ngx_close_connection(c);
    ngx_destroy_pool(pool);
}


static void
ngx_camera_rtmps_cleanup(void *data)
{
    SSL_free(data);
}


static u_char *
ngx_camera_rtmps_log_error(ngx_log_t *log, u_char *buf, size_t len)
{
    ngx_connection_t  *c;

    c = log->data;

    return ngx_snprintf(buf, len, " while %s, client: %V, server: %V",
                        log->action, &c->addr_text,
                        &c->listening->addr_text);
}


/*
 * The session is about to be closed by nginx-rtmp, which knows nothing of
 * TLS: tell the peer that this is the end and not a cut line, without
 * waiting for an answer.
 */

static ngx_int_t
ngx_camera_rtmps_disconnect(ngx_rtmp_session_t *s, ngx_rtmp_header_t *h,
    ngx_chain_t *in)
{
    ngx_connection_t  *c;

    c = s->connection;

    if (c->ssl == NULL || !c->ssl->handshaked || c->error || c->timedout) {
        return NGX_OK;
    }

    SSL_set_shutdown(c->ssl->connection, SSL_RECEIVED_SHUTDOWN);

    (void) SSL_shutdown(c->ssl->connection);

    ERR_clear_error();

    return NGX_OK;
}


static void *
ngx_camera_rtmps_create_conf(ngx_conf_t *cf)
{
    ngx_camera_rtmps_conf_t  *conf;

    conf = ngx_pcalloc(cf->pool, sizeof(ngx_camera_rtmps_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    conf->enable = NGX_CONF_UNSET;
    conf->plain = NGX_CONF_UNSET;
    conf->timeout = NGX_CONF_UNSET_MSEC;

    return conf;
}


static char *
ngx_camera_rtmps_merge_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_camera_rtmps_conf_t *prev = parent;
    ngx_camera_rtmps_conf_t *conf = child;

    ngx_pool_cleanup_t  *cln;

    ngx_conf_merge_value(conf->enable, prev->enable, 0);
    ngx_conf_merge_value(conf->plain, prev->plain, 0);
    ngx_conf_merge_str_value(conf->certificate, prev->certificate, "");
    ngx_conf_merge_str_value(conf->certificate_key, prev->certificate_key, "");
    ngx_conf_merge_msec_value(conf->timeout, prev->timeout, 5000);

    if (!conf->enable) {
        return NGX_CONF_OK;
    }

    if (conf->certificate.len == 0 || conf->certificate_key.len == 0) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"camera_rtmps\" needs \"camera_certificate\" and "
                      "\"camera_certificate_key\"");
        return NGX_CONF_ERROR;
    }

    conf->ssl.log = cf->log;

    if (ngx_ssl_create(&conf->ssl, NGX_SSL_TLSv1_3, NULL) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    cln = ngx_pool_cleanup_add(cf->pool, 0);
    if (cln == NULL) {
        ngx_ssl_cleanup_ctx(&conf->ssl);
        return NGX_CONF_ERROR;
    }

    cln->handler = ngx_ssl_cleanup_ctx;
    cln->data = &conf->ssl;

    if (ngx_ssl_certificate(cf, &conf->ssl, &conf->certificate,
                            &conf->certificate_key, NULL)
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_camera_rtmps_postconfiguration(ngx_conf_t *cf)
{
    ngx_uint_t                       i;
    ngx_rtmp_listen_t               *listen;
    ngx_rtmp_core_main_conf_t       *cmcf;
    ngx_camera_ingest_main_conf_t   *imcf;

    cmcf = ngx_rtmp_conf_get_module_main_conf(cf, ngx_rtmp_core_module);
    imcf = ngx_rtmp_conf_get_module_main_conf(cf, ngx_camera_ingest_module);

    if (imcf->enable) {
        listen = cmcf->listen.elts;

        for (i = 0; i < cmcf->listen.nelts; i++) {
            if (ngx_camera_rtmps_check_listen(cf, &listen[i]) != NGX_OK) {
                return NGX_ERROR;
            }
        }
    }

    return ngx_camera_ingest_prepend(cf, NGX_RTMP_DISCONNECT,
                                     ngx_camera_rtmps_disconnect);
}


static ngx_int_t
ngx_camera_rtmps_check_listen(ngx_conf_t *cf, ngx_rtmp_listen_t *listen)
{
    size_t                    len;
    u_char                    text[NGX_SOCKADDR_STRLEN];
    struct sockaddr          *sa;
    ngx_camera_rtmps_conf_t  *conf;

    sa = (struct sockaddr *) listen->sockaddr;
    len = ngx_sock_ntop(sa, listen->socklen, text, NGX_SOCKADDR_STRLEN, 1);

    conf = ngx_rtmp_get_module_srv_conf(listen->ctx, ngx_camera_rtmps_module);

    if (listen->proxy_protocol) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"listen %*s\" with \"proxy_protocol\" cannot take "
                      "cameras: anyone could forge an address", len, text);
        return NGX_ERROR;
    }

    if (!conf->enable && !conf->plain && !ngx_camera_rtmps_local(sa)) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"listen %*s\" would take camera tokens unencrypted: "
                      "set \"camera_rtmps on\", listen on 127.0.0.1, or allow "
                      "it by \"camera_plain_rtmp on\"", len, text);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_camera_rtmps_local(struct sockaddr *sa)
{
    struct sockaddr_in   *sin;
    struct sockaddr_in6  *sin6;

    switch (sa->sa_family) {

    case AF_INET6:
        sin6 = (struct sockaddr_in6 *) sa;
        return IN6_IS_ADDR_LOOPBACK(&sin6->sin6_addr);

    case AF_UNIX:
        return 1;

    default: /* AF_INET */
        sin = (struct sockaddr_in *) sa;
        return (ntohl(sin->sin_addr.s_addr) >> 24) == 127;
    }
}


static ngx_int_t
ngx_camera_rtmps_init_module(ngx_cycle_t *cycle)
{
    ngx_uint_t        i;
    ngx_listening_t  *ls;

    ls = cycle->listening.elts;

    for (i = 0; i < cycle->listening.nelts; i++) {

        if (ls[i].handler == ngx_rtmp_init_connection
            && ngx_camera_rtmps_listens(&ls[i]))
        {
            ls[i].handler = ngx_camera_rtmps_accept;
        }
    }

    return NGX_OK;
}


/* 1 when any address behind this socket wants TLS */

static ngx_uint_t
ngx_camera_rtmps_listens(ngx_listening_t *ls)
{
    ngx_uint_t                i;
    ngx_rtmp_port_t          *port;
    ngx_rtmp_conf_ctx_t      *ctx;
    ngx_rtmp_in_addr_t       *addr;
    ngx_rtmp_in6_addr_t      *addr6;
    ngx_camera_rtmps_conf_t  *conf;

    port = ls->servers;
    addr = port->addrs;
    addr6 = port->addrs;

    for (i = 0; i < port->naddrs; i++) {

        ctx = ls->sockaddr->sa_family == AF_INET6 ? addr6[i].conf.ctx
                                                  : addr[i].conf.ctx;

        conf = ngx_rtmp_get_module_srv_conf(ctx, ngx_camera_rtmps_module);

        if (conf->enable) {
            return 1;
        }
    }

    return 0;
}
