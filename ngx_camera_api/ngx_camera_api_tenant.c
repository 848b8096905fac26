/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * /tenant: what one's own tenant may have, and what it has.  Quotas are set by
 * whoever runs the server, with `camera tenant quota`.
 */

#include "ngx_camera_api.h"
#include "ngx_camera_hls.h"

#define NGX_CAMERA_API_TENANT_IDLE  30      /* s: who is silent for longer has
                                               left */


static void ngx_camera_api_tenant_quotas(ngx_camera_api_ctx_t *ctx,
    const char *name, const PGresult *res, int row, int column);
static void ngx_camera_api_tenant_usage(ngx_camera_api_ctx_t *ctx,
    const char *name, const PGresult *res, int row, int column);


#define NGX_CAMERA_API_TENANT                                                 \
    "id, slug, name, max_cameras, max_publishers, max_viewers, "              \
    "max_egress_kbps, max_stored_bytes, max_requests_per_hour, cameras, "     \
    "publishers, stored_bytes, created_at"

static const ngx_camera_api_column_t  ngx_camera_api_tenant_columns[] = {
    { "id", NGX_CAMERA_API_UUID, NULL },
    { "slug", NGX_CAMERA_API_TEXT, NULL },
    { "name", NGX_CAMERA_API_TEXT, NULL },
    { "quotas", NGX_CAMERA_API_BY, ngx_camera_api_tenant_quotas },
    { "maxPublishers", NGX_CAMERA_API_HIDDEN, NULL },
    { "maxViewers", NGX_CAMERA_API_HIDDEN, NULL },
    { "maxEgressKbps", NGX_CAMERA_API_HIDDEN, NULL },
    { "maxStoredBytes", NGX_CAMERA_API_HIDDEN, NULL },
    { "maxRequestsPerHour", NGX_CAMERA_API_HIDDEN, NULL },
    { "usage", NGX_CAMERA_API_BY, ngx_camera_api_tenant_usage },
    { "publishers", NGX_CAMERA_API_HIDDEN, NULL },
    { "storedBytes", NGX_CAMERA_API_HIDDEN, NULL },
    { "createdAt", NGX_CAMERA_API_TIME, NULL },
    NGX_CAMERA_API_COLUMNS_END
};


static ngx_camera_api_statement_t  ngx_camera_api_tenant_get = {
    "api_tenant_get",
    "SELECT " NGX_CAMERA_API_TENANT " FROM api_tenant",
    0, NGX_CAMERA_API_SLOW|NGX_CAMERA_API_READS, 0
};

static ngx_camera_api_statement_t  ngx_camera_api_tenant_set = {
    "api_tenant_set",
    "WITH changed AS (UPDATE tenants SET name = coalesce($1, name)"
    " RETURNING id, name)"
    " SELECT t.id, t.slug, c.name, max_cameras, max_publishers, max_viewers,"
    " max_egress_kbps, max_stored_bytes, max_requests_per_hour, cameras,"
    " publishers, stored_bytes, created_at"
    " FROM api_tenant t JOIN changed c USING (id)",
    1, NGX_CAMERA_API_SLOW, 0
};

static ngx_camera_api_statement_t  *const ngx_camera_api_tenant_statements[] = {
    &ngx_camera_api_tenant_get,
    &ngx_camera_api_tenant_set,
    NULL
};


static const cam_field_t  ngx_camera_api_tenant_changes[] = {
    { "name", CAM_FIELD_TEXT, 0, 1, 100, NULL, NULL },
    CAM_FIELD_END
};


static const ngx_camera_api_route_t  ngx_camera_api_tenant_routes[] = {

    {
        .method = NGX_HTTP_GET,
        .path = "/tenant",
        .needs = CAM_PERMIT_USERS_MANAGE,
        .statement = &ngx_camera_api_tenant_get,
        .columns = ngx_camera_api_tenant_columns,
        .missing = NGX_CAMERA_API_NOT_FOUND
    },

    {
        .method = NGX_HTTP_PATCH,
        .path = "/tenant",
        .needs = CAM_PERMIT_USERS_MANAGE,
        .body = ngx_camera_api_tenant_changes,
        .statement = &ngx_camera_api_tenant_set,
        .columns = ngx_camera_api_tenant_columns,
        .missing = NGX_CAMERA_API_NOT_FOUND
    },

    { .path = NULL }
};


const ngx_camera_api_resource_t  ngx_camera_api_tenant = {
    "tenant",
    ngx_camera_api_tenant_routes,
    ngx_camera_api_tenant_statements,
    NULL,
    NULL
};


static void
ngx_camera_api_tenant_quotas(ngx_camera_api_ctx_t *ctx, const char *name,
    const PGresult *res, int row, int column)
{
    ngx_uint_t  i;

    static const char  *quotas[] = {
        "cameras", "publishers", "viewers", "egressKbps", "storedBytes",
        "requestsPerHour"
    };

    ngx_camera_api_begin(ctx, name, '{');

    for (i = 0; i < sizeof(quotas) / sizeof(quotas[0]); i++) {
        ngx_camera_api_put_int_of(ctx, quotas[i], res, row, column + i);
    }

    ngx_camera_api_end(ctx, '}');
}


/* viewers are those of this node, which is where their quota holds */

static void
ngx_camera_api_tenant_usage(ngx_camera_api_ctx_t *ctx, const char *name,
    const PGresult *res, int row, int column)
{
    cam_sessions_use_t  use;

    ngx_memzero(&use, sizeof(cam_sessions_use_t));

    if (ngx_camera_hls_worker.sessions) {
        cam_sessions_use(ngx_camera_hls_worker.sessions,
                         ctx->principal->tenant, NGX_CAMERA_API_TENANT_IDLE,
                         &use);
    }

    ngx_camera_api_begin(ctx, name, '{');
    ngx_camera_api_put_int(ctx, "cameras",
                           ngx_camera_api_int(res, row, column));
    ngx_camera_api_put_int(ctx, "publishers",
                           ngx_camera_api_int(res, row, column + 1));
    ngx_camera_api_put_int(ctx, "viewers", use.viewers);
    ngx_camera_api_put_int(ctx, "egressKbps", use.egress_kbps);
    ngx_camera_api_put_int(ctx, "storedBytes",
                           ngx_camera_api_int(res, row, column + 2));
    ngx_camera_api_end(ctx, '}');
}
