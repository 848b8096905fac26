/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The commands "connect" and "publish".  nginx-rtmp's own handlers cut names
 * and arguments at 255 bytes and write them into the log; these take what a
 * signed key needs, and the secret part goes no further than this file:
 *
 *     rtmps://host/live/{camera_key}?token={jwt}    as FFmpeg sends it
 *     rtmps://host/live  {camera_key}?token={jwt}   OBS: server and key
 *     rtmps://host/live?token={jwt}/{camera_key}    librtmp
 *     rtmps://host/live/{opaque}                    short fields of firmware
 *
 * Nothing is handed on to the package's publish chain: its modules would only
 * relay, record or execute.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_rtmp.h>
#include <ngx_rtmp_cmd_module.h>

#include "ngx_camera_ingest.h"


/* a name, its arguments and whatever an encoder adds to them */
#define NGX_CAMERA_INGEST_STRING  (CAM_TOKEN_MAX + 512)


static ngx_int_t ngx_camera_ingest_connect(ngx_rtmp_session_t *s,
    ngx_rtmp_header_t *h, ngx_chain_t *in);
static ngx_int_t ngx_camera_ingest_create_ctx(ngx_rtmp_session_t *s,
    u_char *args);
static ngx_uint_t ngx_camera_ingest_application(ngx_rtmp_session_t *s,
    u_char *name);
static ngx_int_t ngx_camera_ingest_publish(ngx_rtmp_session_t *s,
    ngx_rtmp_header_t *h, ngx_chain_t *in);
static ngx_int_t ngx_camera_ingest_decide(ngx_camera_ingest_ctx_t *ctx,
    u_char *text);
static ngx_int_t ngx_camera_ingest_credential(ngx_camera_ingest_ctx_t *ctx,
    u_char *text, ngx_str_t *name, ngx_str_t *token);
static ngx_uint_t ngx_camera_ingest_is_name(ngx_str_t *name);
static void ngx_camera_ingest_find_token(ngx_str_t *args, ngx_str_t *token);
static u_char *ngx_camera_ingest_split(u_char *text);


/* zeroed after use, for it holds tokens; the last byte shows an overflow */
static u_char  ngx_camera_ingest_buffer[NGX_CAMERA_INGEST_STRING + 2];


void
ngx_camera_ingest_init_commands(ngx_rtmp_core_main_conf_t *cmcf)
{
    ngx_uint_t               i;
    ngx_rtmp_amf_handler_t  *command;

    command = cmcf->amf.elts;

    for (i = 0; i < cmcf->amf.nelts; i++) {

        if (ngx_strcmp(command[i].name.data, "connect") == 0) {
            command[i].handler = ngx_camera_ingest_connect;
        }

        if (ngx_strcmp(command[i].name.data, "publish") == 0) {
            command[i].handler = ngx_camera_ingest_publish;
        }
    }
}


static ngx_int_t
ngx_camera_ingest_connect(ngx_rtmp_session_t *s, ngx_rtmp_header_t *h,
    ngx_chain_t *in)
{
    u_char     *app, *args;
    ngx_int_t   rc;

    static ngx_rtmp_connect_t   v;

    static ngx_rtmp_amf_elt_t   command[] = {

        { NGX_RTMP_AMF_STRING,
          ngx_string("app"),
          ngx_camera_ingest_buffer, sizeof(ngx_camera_ingest_buffer) },

        { NGX_RTMP_AMF_NUMBER,
          ngx_string("objectEncoding"),
          &v.object_encoding, 0 },
    };

    static ngx_rtmp_amf_elt_t   elts[] = {

        { NGX_RTMP_AMF_NUMBER,
          ngx_null_string,
          &v.trans, 0 },

        { NGX_RTMP_AMF_OBJECT,
          ngx_null_string,
          command, sizeof(command) },
    };

    app = ngx_camera_ingest_buffer;

    ngx_memzero(&v, sizeof(v));
    app[0] = '\0';

    rc = NGX_ERROR;

    if (ngx_rtmp_receive_amf(s, in, elts, 2) != NGX_OK
        || ngx_strlen(app) > NGX_CAMERA_INGEST_STRING)
    {
        ngx_log_error(NGX_LOG_INFO, s->connection->log, 0,
                      "malformed connect command");
        goto done;
    }

    args = ngx_camera_ingest_split(app);

    if (!ngx_camera_ingest_application(s, app)) {
        ngx_log_error(NGX_LOG_INFO, s->connection->log, 0,
                      "connect to an unknown application");
        goto done;
    }

    if (ngx_camera_ingest_create_ctx(s, args) == NGX_OK) {
        (void) ngx_cpystrn(v.app, app, sizeof(v.app));
        rc = ngx_rtmp_connect(s, &v);
    }

done:

    ngx_explicit_memzero(ngx_camera_ingest_buffer,
                         sizeof(ngx_camera_ingest_buffer));

    return rc;
}


static ngx_int_t
ngx_camera_ingest_create_ctx(ngx_rtmp_session_t *s, u_char *args)
{
    ngx_camera_ingest_ctx_t  *ctx;

    if (ngx_rtmp_get_module_ctx(s, ngx_camera_ingest_module) != NULL) {
        ngx_log_error(NGX_LOG_INFO, s->connection->log, 0,
                      "second connect command");
        return NGX_ERROR;
    }

    ctx = ngx_pcalloc(s->connection->pool, sizeof(ngx_camera_ingest_ctx_t));
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    ctx->session = s;
    ctx->slot = -1;

    ngx_rtmp_set_ctx(s, ctx, ngx_camera_ingest_module);

    if (args == NULL) {
        return NGX_OK;
    }

    ctx->args.len = ngx_strlen(args);
    ctx->args.data = ngx_pnalloc(s->connection->pool, ctx->args.len + 1);

    if (ctx->args.data == NULL) {
        return NGX_ERROR;
    }

    (void) ngx_cpystrn(ctx->args.data, args, ctx->args.len + 1);

    return NGX_OK;
}


/* cuts what encoders put behind the name, and looks it up */

static ngx_uint_t
ngx_camera_ingest_application(ngx_rtmp_session_t *s, u_char *name)
{
    size_t                      len;
    ngx_uint_t                  i;
    ngx_rtmp_core_srv_conf_t   *cscf;
    ngx_rtmp_core_app_conf_t  **cacf;

    len = ngx_strlen(name);

    if (len > 10 && ngx_memcmp(name + len - 10, "/_definst_", 10) == 0) {
        len -= 10;
    }

    if (len && name[len - 1] == '/') {
        len--;
    }

    name[len] = '\0';

    cscf = ngx_rtmp_get_module_srv_conf(s, ngx_rtmp_core_module);
    cacf = cscf->applications.elts;

    for (i = 0; i < cscf->applications.nelts; i++) {
        if (cacf[i]->name.len == len
            && ngx_strncmp(cacf[i]->name.data, name, len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


static ngx_int_t
ngx_camera_ingest_publish(ngx_rtmp_session_t *s, ngx_rtmp_header_t *h,
    ngx_chain_t *in)
{
    u_char                   *name;
    ngx_int_t                 rc;
    ngx_camera_ingest_ctx_t  *ctx;

    static ngx_rtmp_amf_elt_t   elts[] = {

        { NGX_RTMP_AMF_NUMBER,
          ngx_null_string,
          NULL, 0 },

        { NGX_RTMP_AMF_NULL,
          ngx_null_string,
          NULL, 0 },

        { NGX_RTMP_AMF_STRING,
          ngx_null_string,
          ngx_camera_ingest_buffer, sizeof(ngx_camera_ingest_buffer) },
    };

    ctx = ngx_rtmp_get_module_ctx(s, ngx_camera_ingest_module);

    if (ctx == NULL || ctx->asked) {
        ngx_log_error(NGX_LOG_INFO, s->connection->log, 0,
                      ctx ? "second publish command"
                          : "publish before connect");
        return NGX_ERROR;
    }

    ctx->asked = 1;

    name = ngx_camera_ingest_buffer;
    name[0] = '\0';

    if (ngx_rtmp_receive_amf(s, in, elts, 3) == NGX_OK) {
        rc = ngx_camera_ingest_decide(ctx, name);

    } else {
        ngx_log_error(NGX_LOG_INFO, s->connection->log, 0,
                      "malformed publish command");
        rc = NGX_ERROR;
    }

    ngx_explicit_memzero(ngx_camera_ingest_buffer,
                         sizeof(ngx_camera_ingest_buffer));

    if (ctx->args.data) {
        ngx_explicit_memzero(ctx->args.data, ctx->args.len);
        ngx_str_null(&ctx->args);
    }

    return rc;
}


static ngx_int_t
ngx_camera_ingest_decide(ngx_camera_ingest_ctx_t *ctx, u_char *text)
{
    ngx_str_t            name, token;
    ngx_camera_conf_t   *ccf;
    ngx_camera_grant_t   grant;
    ngx_rtmp_session_t  *s;

    s = ctx->session;
    ccf = ngx_camera_conf((ngx_cycle_t *) ngx_cycle);

    if (ccf == NULL) {
        ngx_camera_ingest_refuse(ctx, -1, CAM_REASON_NOT_READY, 0);
        return NGX_OK;
    }

    if (ngx_camera_ingest_credential(ctx, text, &name, &token) != NGX_OK) {
        ngx_camera_ingest_refuse(ctx, -1, CAM_REASON_TOKEN_INVALID, 0);
        return NGX_OK;
    }

    ngx_camera_ingest_authorize(ccf, &name, &token, s->connection->sockaddr,
                                &grant);

    if (grant.reason == CAM_REASON_NONE) {
        grant.reason = ngx_camera_ingest_claim(ccf, ctx, &grant);
    }

    if (grant.reason != CAM_REASON_NONE) {
        ngx_camera_ingest_refuse(ctx, grant.slot, grant.reason, grant.detail);
        return NGX_OK;
    }

    ngx_camera_ingest_start(ctx);

    return ngx_rtmp_send_status(s, "NetStream.Publish.Start", "status",
                                "publishing")
           == NGX_OK ? NGX_OK : NGX_ERROR;
}


/* NGX_ERROR: too long, or not a name; token may be empty */

static ngx_int_t
ngx_camera_ingest_credential(ngx_camera_ingest_ctx_t *ctx, u_char *text,
    ngx_str_t *name, ngx_str_t *token)
{
    ngx_str_t  args;

    if (ngx_strlen(text) > NGX_CAMERA_INGEST_STRING) {
        return NGX_ERROR;
    }

    args.data = ngx_camera_ingest_split(text);
    args.len = args.data ? ngx_strlen(args.data) : 0;

    name->data = text;
    name->len = ngx_strlen(text);

    ngx_str_null(token);
    ngx_camera_ingest_find_token(&args, token);

    if (token->data == NULL) {
        ngx_camera_ingest_find_token(&ctx->args, token);
    }

    return ngx_camera_ingest_is_name(name) ? NGX_OK : NGX_ERROR;
}


/* public names and opaque keys alike */

static ngx_uint_t
ngx_camera_ingest_is_name(ngx_str_t *name)
{
    size_t  i;
    u_char  ch;

    for (i = 0; i < name->len; i++) {
        ch = name->data[i];

        if ((ch < 'a' || ch > 'z') && (ch < 'A' || ch > 'Z')
            && (ch < '0' || ch > '9')
            && ch != '.' && ch != '_' && ch != '-')
        {
            return 0;
        }
    }

    return name->len != 0 && name->len < CAM_REGISTRY_KEY_MAX;
}


static void
ngx_camera_ingest_find_token(ngx_str_t *args, ngx_str_t *token)
{
    u_char  *p, *end, *last;

    if (args->data == NULL) {
        return;
    }

    last = args->data + args->len;

    for (p = args->data; p < last; p = end + 1) {

        end = ngx_strlchr(p, last, '&');
        if (end == NULL) {
            end = last;
        }

        if (end - p >= 6 && ngx_strncmp(p, "token=", 6) == 0) {
            token->data = p + 6;
            token->len = end - token->data;
            return;
        }
    }
}


/* ends the name at its '?'; what follows, or NULL */

static u_char *
ngx_camera_ingest_split(u_char *text)
{
    u_char  *p;

    p = (u_char *) ngx_strchr(text, '?');

    if (p) {
        *p++ = '\0';
    }

    return p;
}
