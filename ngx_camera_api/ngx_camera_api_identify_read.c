/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * What the database says of a session or an API token, as an entry of the
 * shared table.  What somebody may do is worked out here, once: a session what
 * its user's role may, an API token no more than that and no more than its own
 * list.  A user who never logs in (api_only) has tokens that may do what their
 * lists say.
 */

#include "ngx_camera_api_core.h"

/* columns that both have, and those of API tokens */

#define NGX_CAMERA_API_READ_ID          0
#define NGX_CAMERA_API_READ_USER        1
#define NGX_CAMERA_API_READ_TENANT      2
#define NGX_CAMERA_API_READ_USERNAME    3
#define NGX_CAMERA_API_READ_ROLE        4
#define NGX_CAMERA_API_READ_REQUESTS    5
#define NGX_CAMERA_API_READ_SCOPED      6
#define NGX_CAMERA_API_READ_CHANGE      7
#define NGX_CAMERA_API_READ_PERMISSIONS 8
#define NGX_CAMERA_API_READ_RATE        9
#define NGX_CAMERA_API_READ_WINDOW      10
#define NGX_CAMERA_API_READ_CONCURRENT  11
#define NGX_CAMERA_API_READ_CIDRS       12
#define NGX_CAMERA_API_READ_EXPIRES     13


static void ngx_camera_api_identify_read_api(ngx_camera_api_session_t *session,
    const PGresult *res);
static uint32_t ngx_camera_api_identify_permissions(const char *p);
static ngx_int_t ngx_camera_api_identify_cidrs(
    ngx_camera_api_session_t *session, const char *p);


ngx_camera_api_statement_t  ngx_camera_api_identify_check = {
    "api_session_check",
    "SELECT $1::uuid, user_id, tenant_id, username, role::text,"
    " tenant_requests, scoped, must_change_password"
    " FROM api_session_check($1)",
    1, NGX_CAMERA_API_READS, 0
};

ngx_camera_api_statement_t  ngx_camera_api_identify_check_api = {
    "api_token_check",
    "SELECT token_id, user_id, tenant_id, username, role::text,"
    " tenant_requests, scoped, false, permissions, rate_limit,"
    " rate_window_sec, max_concurrent, allowed_cidrs, expires_at"
    " FROM api_token_check($1)",
    1, NGX_CAMERA_API_READS, 0
};


void
ngx_camera_api_identify_read(ngx_camera_api_session_t *session,
    ngx_uint_t kind, const PGresult *res)
{
    session->kind = kind;

    ngx_memcpy(session->id, PQgetvalue(res, 0, NGX_CAMERA_API_READ_ID),
               CAM_UUID_LEN);
    ngx_memcpy(session->user, PQgetvalue(res, 0, NGX_CAMERA_API_READ_USER),
               CAM_UUID_LEN);
    ngx_memcpy(session->tenant, PQgetvalue(res, 0, NGX_CAMERA_API_READ_TENANT),
               CAM_UUID_LEN);

    ngx_cpystrn(session->username,
                (u_char *) PQgetvalue(res, 0, NGX_CAMERA_API_READ_USERNAME),
                sizeof(session->username));

    session->role = cam_role_parse(
                                PQgetvalue(res, 0, NGX_CAMERA_API_READ_ROLE),
                                PQgetlength(res, 0, NGX_CAMERA_API_READ_ROLE));

    session->permissions = cam_role_permissions(session->role);
    session->tenant_requests = (uint32_t)
                ngx_camera_api_int(res, 0, NGX_CAMERA_API_READ_REQUESTS);

    session->scoped = PQgetvalue(res, 0, NGX_CAMERA_API_READ_SCOPED)[0] != 0;
    session->must_change = PQgetvalue(res, 0, NGX_CAMERA_API_READ_CHANGE)[0]
                           != 0;

    if (kind == NGX_CAMERA_API_TOKEN) {
        ngx_camera_api_identify_read_api(session, res);
    }
}


/* a number that is NULL reads as 0 */

static void
ngx_camera_api_identify_read_api(ngx_camera_api_session_t *session,
    const PGresult *res)
{
    uint32_t  permissions;

    permissions = ngx_camera_api_identify_permissions(
                          PQgetvalue(res, 0, NGX_CAMERA_API_READ_PERMISSIONS));

    session->permissions = session->role == CAM_ROLE_API_ONLY
                           ? permissions : session->permissions & permissions;

    session->requests = (uint32_t)
                    ngx_camera_api_int(res, 0, NGX_CAMERA_API_READ_RATE);
    session->seconds = (uint32_t)
                    ngx_camera_api_int(res, 0, NGX_CAMERA_API_READ_WINDOW);
    session->concurrent = (uint32_t)
                    ngx_camera_api_int(res, 0, NGX_CAMERA_API_READ_CONCURRENT);

    if (!PQgetisnull(res, 0, NGX_CAMERA_API_READ_EXPIRES)) {
        session->expires = (time_t)
                   (ngx_camera_api_msec(res, 0, NGX_CAMERA_API_READ_EXPIRES)
                    / 1000);
    }

    /* a list that cannot be read lets nobody in */

    if (ngx_camera_api_identify_cidrs(session,
                               PQgetvalue(res, 0, NGX_CAMERA_API_READ_CIDRS))
        != NGX_OK)
    {
        session->expires = 1;
    }
}


/* words between blanks; one that is not known permits nothing */

static uint32_t
ngx_camera_api_identify_permissions(const char *p)
{
    size_t    len;
    uint32_t  permissions;

    permissions = 0;

    while (*p) {
        len = strcspn(p, " ");
        permissions |= cam_permission_parse(p, len);
        p += len;
        p += strspn(p, " ");
    }

    return permissions;
}


static ngx_int_t
ngx_camera_api_identify_cidrs(ngx_camera_api_session_t *session, const char *p)
{
    size_t      len;
    ngx_uint_t  n;

    for (n = 0; *p; n++) {
        len = strcspn(p, " ");

        if (n == NGX_CAMERA_API_SESSION_CIDRS
            || cam_cidr_parse(&session->cidrs[n], p, len) != 0)
        {
            return NGX_ERROR;
        }

        p += len;
        p += strspn(p, " ");
    }

    return NGX_OK;
}
