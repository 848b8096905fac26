/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Principals: who sent this request, by the access token it carries.
 *
 * A signature says who it was when the token was made; that the session still
 * stands, the user is still active and has still that role is asked of the
 * database.  Not being able to ask is 503, never a yes.
 */

#include "ngx_camera_api_core.h"
#include "token.h"


static ngx_int_t ngx_camera_api_token(ngx_camera_api_ctx_t *ctx,
    ngx_str_t *token);
static void ngx_camera_api_principal_checked(ngx_camera_api_ctx_t *ctx,
    const PGresult *res);


ngx_camera_api_statement_t  ngx_camera_api_principal_check = {
    "api_session_check",
    "SELECT user_id, tenant_id, username, role::text"
    " FROM api_session_check($1)",
    1, 0, 0
};


ngx_int_t
ngx_camera_api_authenticate(ngx_camera_api_ctx_t *ctx)
{
    ngx_int_t                    rc;
    ngx_str_t                    text;
    cam_token_t                  token;
    ngx_camera_api_principal_t  *p;
    ngx_camera_api_main_conf_t  *amcf;

    if (ctx->route->needs == NGX_CAMERA_API_PUBLIC) {
        return NGX_OK;
    }

    rc = ngx_camera_api_token(ctx, &text);

    if (rc == NGX_DECLINED) {
        return NGX_OK;                  /* see ngx_camera_api_authorize() */
    }

    amcf = ngx_http_get_module_main_conf(ctx->request, ngx_camera_api_module);

    if (rc != NGX_OK
        || cam_token_verify(amcf->keys, CAM_KEY_ACCESS, (char *) text.data,
                            text.len, ngx_time(), &token)
           != CAM_TOKEN_OK)
    {
        return ngx_camera_api_refuse(ctx, NGX_CAMERA_API_TOKEN_INVALID);
    }

    p = ngx_pcalloc(ctx->request->pool, sizeof(ngx_camera_api_principal_t));
    if (p == NULL) {
        return ngx_camera_api_refuse(ctx, NGX_CAMERA_API_INTERNAL_ERROR);
    }

    ngx_memcpy(p->sid, token.sid, CAM_UUID_LEN);
    p->expires = (time_t) token.expires;

    ctx->data = p;

    ngx_camera_api_param_uuid(ctx, p->sid);
    ngx_camera_api_query(ctx, &ngx_camera_api_principal_check,
                         ngx_camera_api_principal_checked);

    return NGX_AGAIN;
}


/* NGX_DECLINED: there is none, NGX_ERROR: there is something else */

static ngx_int_t
ngx_camera_api_token(ngx_camera_api_ctx_t *ctx, ngx_str_t *token)
{
    u_char              *p, *last;
    ngx_str_t            value;
    ngx_table_elt_t     *h;
    ngx_http_request_t  *r;

    static ngx_str_t  bearer = ngx_string("Bearer ");

    r = ctx->request;
    h = r->headers_in.authorization;

    if (h == NULL) {

        /* API tokens, which it is for, there are none of yet */

        return ngx_camera_api_header_in(r, "x-api-key") ? NGX_ERROR
                                                        : NGX_DECLINED;
    }

    value = h->value;

    if (value.len <= bearer.len
        || ngx_strncasecmp(value.data, bearer.data, bearer.len) != 0)
    {
        return NGX_ERROR;
    }

    last = value.data + value.len;

    for (p = value.data + bearer.len; p < last && *p == ' '; p++) {
        /* void */
    }

    token->data = p;
    token->len = last - p;

    return NGX_OK;
}


static void
ngx_camera_api_principal_checked(ngx_camera_api_ctx_t *ctx,
    const PGresult *res)
{
    ngx_camera_api_principal_t  *p;

    p = ctx->data;
    ctx->data = NULL;

    if (PQntuples(res) == 0) {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_TOKEN_INVALID, NULL);
        return;
    }

    ngx_memcpy(p->user, PQgetvalue(res, 0, 0), CAM_UUID_LEN);
    ngx_memcpy(p->tenant, PQgetvalue(res, 0, 1), CAM_UUID_LEN);

    ngx_cpystrn(p->username, (u_char *) PQgetvalue(res, 0, 2),
                sizeof(p->username));

    p->role = cam_role_parse(PQgetvalue(res, 0, 3), PQgetlength(res, 0, 3));
    p->permissions = cam_role_permissions(p->role);

    cam_uuid_print((char *) p->tenant_uuid, p->tenant);
    p->tenant_text.data = p->tenant_uuid;
    p->tenant_text.len = CAM_UUID_TEXT;

    ctx->principal = p;

    ngx_camera_api_resume(ctx);
}
