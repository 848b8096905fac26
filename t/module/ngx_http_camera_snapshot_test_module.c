/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * A module for tests only: snapshots behind a location, for whoever asks.
 *
 *     location = /snapshot { camera_snapshot_test; }   # ?id=UUID&width=320
 *     location = /stat     { camera_snapshot_test_stat; }
 *
 * Answers the picture, or 503 with Retry-After, the number of the reason and
 * its text.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_camera_snapshot.h"


static ngx_int_t ngx_http_camera_snapshot_test_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_camera_snapshot_test_none(ngx_http_request_t *r,
    void *data, ngx_camera_snapshot_why_e why);
static ngx_int_t ngx_http_camera_snapshot_test_stat_handler(
    ngx_http_request_t *r);
static ngx_int_t ngx_http_camera_snapshot_test_text(ngx_http_request_t *r,
    ngx_uint_t status, u_char *text, u_char *last);
static char *ngx_http_camera_snapshot_test(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


static ngx_uint_t  ngx_http_camera_snapshot_test_started;
static ngx_uint_t  ngx_http_camera_snapshot_test_waited;
static ngx_uint_t  ngx_http_camera_snapshot_test_refused;


static ngx_command_t  ngx_http_camera_snapshot_test_commands[] = {

    { ngx_string("camera_snapshot_test"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_camera_snapshot_test,
      0,
      0,
      ngx_http_camera_snapshot_test_handler },

    { ngx_string("camera_snapshot_test_stat"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_camera_snapshot_test,
      0,
      0,
      ngx_http_camera_snapshot_test_stat_handler },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_camera_snapshot_test_module_ctx = {
    NULL,                                  /* preconfiguration */
    NULL,                                  /* postconfiguration */
    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */
    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */
    NULL,                                  /* create location configuration */
    NULL                                   /* merge location configuration */
};


ngx_module_t  ngx_http_camera_snapshot_test_module = {
    NGX_MODULE_V1,
    &ngx_http_camera_snapshot_test_module_ctx,  /* module context */
    ngx_http_camera_snapshot_test_commands,     /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


/* what nginx's build system writes for a dynamic module */

ngx_module_t  *ngx_modules[] = { &ngx_http_camera_snapshot_test_module, NULL };
char          *ngx_module_names[] = {
    "ngx_http_camera_snapshot_test_module", NULL
};
char          *ngx_module_order[] = { NULL };


static ngx_int_t
ngx_http_camera_snapshot_test_handler(ngx_http_request_t *r)
{
    uint8_t    camera[CAM_UUID_LEN];
    ngx_int_t  rc, width;
    ngx_str_t  id, text;

    if (ngx_http_arg(r, (u_char *) "id", 2, &id) != NGX_OK
        || ngx_http_arg(r, (u_char *) "width", 5, &text) != NGX_OK
        || (width = ngx_atoi(text.data, text.len)) == NGX_ERROR
        || cam_uuid_parse(camera, (char *) id.data, id.len) == -1)
    {
        return NGX_HTTP_BAD_REQUEST;
    }

    ngx_http_camera_snapshot_test_started++;

    rc = ngx_camera_snapshot_send(r, camera, width,
                                  ngx_http_camera_snapshot_test_none,
                                  &ngx_http_camera_snapshot_test_refused);

    ngx_http_camera_snapshot_test_waited += rc == NGX_DONE;

    return rc;
}


static ngx_int_t
ngx_http_camera_snapshot_test_none(ngx_http_request_t *r, void *data,
    ngx_camera_snapshot_why_e why)
{
    u_char           *last, text[256];
    ngx_str_t        *says;
    ngx_uint_t        retry_sec, *refused;
    ngx_table_elt_t  *h;

    refused = data;
    (*refused)++;

    says = ngx_camera_snapshot_text(why, &retry_sec);

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    h->hash = 1;
    ngx_str_set(&h->key, "Retry-After");
    h->value.data = ngx_pnalloc(r->pool, NGX_INT_T_LEN);

    if (h->value.data == NULL) {
        return NGX_ERROR;
    }

    h->value.len = ngx_sprintf(h->value.data, "%ui", retry_sec)
                   - h->value.data;

    last = ngx_sprintf(text, "%d %V", why, says);

    return ngx_http_camera_snapshot_test_text(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                                              text, last);
}


static ngx_int_t
ngx_http_camera_snapshot_test_stat_handler(ngx_http_request_t *r)
{
    u_char  *last, text[256];

    last = ngx_sprintf(text, "started=%ui waited=%ui refused=%ui",
                       ngx_http_camera_snapshot_test_started,
                       ngx_http_camera_snapshot_test_waited,
                       ngx_http_camera_snapshot_test_refused);

    return ngx_http_camera_snapshot_test_text(r, NGX_HTTP_OK, text, last);
}


static ngx_int_t
ngx_http_camera_snapshot_test_text(ngx_http_request_t *r, ngx_uint_t status,
    u_char *text, u_char *last)
{
    ngx_int_t    rc;
    ngx_buf_t   *b;
    ngx_chain_t  out;

    r->headers_out.status = status;
    r->headers_out.content_length_n = last - text;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    b = ngx_create_temp_buf(r->pool, last - text);
    if (b == NULL) {
        return NGX_ERROR;
    }

    b->last = ngx_cpymem(b->last, text, last - text);
    b->last_buf = 1;

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}


static char *
ngx_http_camera_snapshot_test(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = (ngx_http_handler_pt) cmd->post;

    return NGX_CONF_OK;
}
