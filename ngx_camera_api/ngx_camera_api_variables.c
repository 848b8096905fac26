/*
 * Copyright (C) The nginx camera platform authors
 */

/* Variables for the access log: what the module knows of a request. */

#include "ngx_camera_api_core.h"

#define NGX_CAMERA_API_VAR_ID         0
#define NGX_CAMERA_API_VAR_ROUTE      1
#define NGX_CAMERA_API_VAR_PRINCIPAL  2
#define NGX_CAMERA_API_VAR_TENANT     3
#define NGX_CAMERA_API_VAR_ERROR      4


static ngx_int_t ngx_camera_api_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);


static ngx_http_variable_t  ngx_camera_api_vars[] = {

    { ngx_string("camera_request_id"), NULL, ngx_camera_api_variable,
      NGX_CAMERA_API_VAR_ID, 0, 0 },

    { ngx_string("camera_route"), NULL, ngx_camera_api_variable,
      NGX_CAMERA_API_VAR_ROUTE, 0, 0 },

    { ngx_string("camera_principal"), NULL, ngx_camera_api_variable,
      NGX_CAMERA_API_VAR_PRINCIPAL, 0, 0 },

    { ngx_string("camera_tenant"), NULL, ngx_camera_api_variable,
      NGX_CAMERA_API_VAR_TENANT, 0, 0 },

    { ngx_string("camera_error"), NULL, ngx_camera_api_variable,
      NGX_CAMERA_API_VAR_ERROR, 0, 0 },

      ngx_http_null_variable
};


/* for the access log: empty where there is nothing to tell */

static ngx_int_t
ngx_camera_api_variable(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data)
{
    const char            *text;
    ngx_camera_api_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_camera_api_module);

    text = "";

    if (ctx == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    switch (data) {

    case NGX_CAMERA_API_VAR_ID:
        v->data = ctx->id.data;
        v->len = ctx->id.len;
        break;

    case NGX_CAMERA_API_VAR_ROUTE:
        text = ctx->route ? ctx->route->path : "";
        break;

    case NGX_CAMERA_API_VAR_PRINCIPAL:
        text = ctx->principal ? (char *) ctx->principal->username : "";
        break;

    case NGX_CAMERA_API_VAR_TENANT:
        text = ctx->principal ? (char *) ctx->principal->tenant_uuid : "";
        break;

    default:
        text = ngx_camera_api_code_name(ctx->code);
        break;
    }

    if (data != NGX_CAMERA_API_VAR_ID) {
        v->data = (u_char *) text;
        v->len = ngx_strlen(text);
    }

    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}


ngx_int_t
ngx_camera_api_add_variables(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var, *v;

    for (v = ngx_camera_api_vars; v->name.len; v++) {

        var = ngx_http_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    return NGX_OK;
}
