/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * What the setting app.tenant says of a query, in words that
 * sql/026_session_words.sql reads:
 *
 *     {tenant} {grantee} {user} {credential} {request id} {address}
 *
 * with "-" for none.  A statement that only reads needs the first word, and the
 * second one where the grants of its user limit what is seen; one that changes
 * something says all of them, for the audit.
 */

#include "ngx_camera_api_core.h"


static u_char *ngx_camera_api_who_asks(u_char *p, ngx_camera_api_ctx_t *ctx);


ngx_int_t
ngx_camera_api_who(ngx_camera_api_ctx_t *ctx,
    const ngx_camera_api_statement_t *statement, ngx_str_t *who)
{
    u_char                      *p;
    ngx_uint_t                   reads;
    ngx_camera_api_principal_t  *principal;

    principal = ctx->principal;
    reads = statement->flags & NGX_CAMERA_API_READS;

    if (reads && (principal == NULL || !principal->scoped)) {
        who->len = principal ? principal->tenant_text.len : 0;
        who->data = principal ? principal->tenant_text.data : NULL;
        return NGX_OK;
    }

    p = ngx_pnalloc(ctx->request->pool, NGX_CAMERA_PG_SETTING_MAX);
    if (p == NULL) {
        return NGX_ERROR;
    }

    who->data = p;

    p = ngx_camera_api_who_sees(p, principal);

    if (!reads) {
        p = ngx_camera_api_who_asks(p, ctx);
    }

    who->len = p - who->data;

    return NGX_OK;
}


u_char *
ngx_camera_api_who_sees(u_char *p, const ngx_camera_api_principal_t *principal)
{
    if (principal == NULL) {
        return ngx_cpymem(p, "- -", 3);
    }

    p = ngx_cpymem(p, principal->tenant_text.data, principal->tenant_text.len);
    *p++ = ' ';

    if (!principal->scoped) {
        *p++ = '-';
        return p;
    }

    cam_uuid_print((char *) p, principal->user);

    return p + CAM_UUID_TEXT;
}


/* a socket in the file system has no address; a request id has no blanks */

static u_char *
ngx_camera_api_who_asks(u_char *p, ngx_camera_api_ctx_t *ctx)
{
    char               user[CAM_UUID_TEXT + 1], sid[CAM_UUID_TEXT + 1];
    ngx_connection_t  *c;

    c = ctx->request->connection;

    if (ctx->principal) {
        cam_uuid_print(user, ctx->principal->user);
        cam_uuid_print(sid, ctx->principal->sid);

        p = ngx_sprintf(p, " %s %s:%s", user,
                        ctx->principal->kind == NGX_CAMERA_API_TOKEN
                        ? "token" : "session", sid);

    } else {
        p = ngx_cpymem(p, " - -", 4);
    }

    return c->sockaddr->sa_family == AF_UNIX
           ? ngx_sprintf(p, " %V -", &ctx->id)
           : ngx_sprintf(p, " %V %V", &ctx->id, &c->addr_text);
}
