/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Does the session of a token stand?  What was learned lately is in shared
 * memory; otherwise the database is asked, once for all who wait for the same
 * session in this worker.  An entry that is about to be too old is asked for
 * again beforehand, so that nobody waits who comes often.
 *
 *     a check    asked       [_start]   by the first who wants it
 *                answered    [_done]    stored; everybody who waits is told
 *
 * A check goes on when everybody who waited has left: its answer serves the
 * next one.  No answer is 503 for who waits, never a yes.
 */

#include "ngx_camera_api_core.h"
#include "ngx_camera_api_session.h"
#include "ngx_camera_api_token.h"

#define NGX_CAMERA_API_CHECK_MSEC  2500

/* drops of users within one turn, which cost a look at the whole table each */
#define NGX_CAMERA_API_DROPS_MAX   32


typedef struct {
    ngx_queue_t                queue;       /* of checks, or of free ones */
    ngx_queue_t                identities;  /* who waits */
    u_char                     sid[CAM_UUID_LEN];
    ngx_atomic_uint_t          epoch;
} ngx_camera_api_check_t;


static ngx_int_t ngx_camera_api_check_start(const u_char *sid,
    ngx_camera_api_identity_t *identity);
static ngx_camera_api_check_t *ngx_camera_api_check_find(const u_char *sid);
static ngx_camera_api_check_t *ngx_camera_api_check_get(void);
static void ngx_camera_api_check_done(void *data, ngx_camera_pg_rc_e rc,
    const PGresult *res, const ngx_camera_pg_error_t *error);
static void ngx_camera_api_check_read(ngx_camera_api_session_t *session,
    const PGresult *res);
static void ngx_camera_api_check_tell(ngx_camera_api_check_t *check,
    ngx_camera_api_code_e code, const ngx_camera_api_session_t *session);
static void ngx_camera_api_identify_fill(ngx_camera_api_principal_t *p,
    const ngx_camera_api_session_t *session);
static void ngx_camera_api_principal_changed(void *data, const char *payload);
static void ngx_camera_api_user_changed(const u_char *user);
static void ngx_camera_api_identify_listening(void *data, ngx_uint_t up);


ngx_camera_api_statement_t  ngx_camera_api_identify_check = {
    "api_session_check",
    "SELECT user_id, tenant_id, username, role::text, scoped,"
    " must_change_password FROM api_session_check($1)",
    1, NGX_CAMERA_API_READS, 0
};


static struct {
    cam_keys_t               *keys;
    ngx_log_t                *log;
    ngx_queue_t               checks;
    ngx_queue_t               free;
    ngx_camera_api_notify_t   notify;

    ngx_msec_t                dropped_at;
    ngx_uint_t                drops;        /* of users, at that moment */
} ngx_camera_api_identities;


void
ngx_camera_api_identify_init(ngx_cycle_t *cycle, cam_keys_t *keys)
{
    ngx_camera_api_notify_t  *notify;

    ngx_camera_api_identities.keys = keys;
    ngx_camera_api_identities.log = cycle->log;

    ngx_queue_init(&ngx_camera_api_identities.checks);
    ngx_queue_init(&ngx_camera_api_identities.free);

    notify = &ngx_camera_api_identities.notify;
    notify->channel = "principal_changed";
    notify->handler = ngx_camera_api_principal_changed;
    notify->listening = ngx_camera_api_identify_listening;

    ngx_camera_api_notify(notify);
}


ngx_int_t
ngx_camera_api_identify(ngx_camera_api_identity_t *identity,
    const ngx_str_t *text)
{
    ngx_int_t                  rc;
    cam_token_t                token;
    ngx_camera_api_session_t   session;

    if (ngx_camera_api_token_verify(ngx_camera_api_identities.keys, text,
                                    &token)
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    identity->waiting = 0;
    identity->principal.expires = (time_t) token.expires;

    rc = ngx_camera_api_session_get(token.sid, &session);

    if (rc == NGX_DECLINED) {
        ngx_memcpy(identity->principal.user, token.user, CAM_UUID_LEN);

        return ngx_camera_api_check_start(token.sid, identity);
    }

    if (rc == NGX_AGAIN) {
        (void) ngx_camera_api_check_start(token.sid, NULL);
    }

    if (ngx_memcmp(session.user, token.user, CAM_UUID_LEN) != 0) {
        return NGX_DECLINED;
    }

    ngx_camera_api_identify_fill(&identity->principal, &session);

    return NGX_OK;
}


void
ngx_camera_api_identify_cancel(ngx_camera_api_identity_t *identity)
{
    if (identity->waiting) {
        ngx_queue_remove(&identity->queue);
        identity->waiting = 0;
    }
}


static ngx_int_t
ngx_camera_api_check_start(const u_char *sid,
    ngx_camera_api_identity_t *identity)
{
    ngx_camera_pg_param_t    param;
    ngx_camera_api_check_t  *check;

    check = ngx_camera_api_check_find(sid);

    if (check == NULL) {
        check = ngx_camera_api_check_get();

        if (check == NULL) {
            return NGX_ERROR;
        }

        ngx_memcpy(check->sid, sid, CAM_UUID_LEN);
        ngx_queue_init(&check->identities);
        check->epoch = ngx_camera_api_session_epoch(sid);

        param.data = (char *) check->sid;
        param.len = CAM_UUID_LEN;
        param.binary = 1;

        if (ngx_camera_api_pg_start(&ngx_camera_api_identify_check, &param, 1,
                                    NGX_CAMERA_API_CHECK_MSEC,
                                    ngx_camera_api_check_done, check)
            == NULL)
        {
            ngx_queue_insert_head(&ngx_camera_api_identities.free,
                                  &check->queue);
            return NGX_ERROR;
        }

        ngx_queue_insert_head(&ngx_camera_api_identities.checks,
                              &check->queue);
    }

    if (identity) {
        ngx_queue_insert_tail(&check->identities, &identity->queue);
        identity->waiting = 1;
    }

    return NGX_AGAIN;
}


/* what was asked before a drop is no answer to who comes after it */

static ngx_camera_api_check_t *
ngx_camera_api_check_find(const u_char *sid)
{
    ngx_queue_t             *q, *checks;
    ngx_atomic_uint_t        epoch;
    ngx_camera_api_check_t  *check;

    checks = &ngx_camera_api_identities.checks;
    epoch = ngx_camera_api_session_epoch(sid);

    for (q = ngx_queue_head(checks); q != checks; q = ngx_queue_next(q)) {
        check = ngx_queue_data(q, ngx_camera_api_check_t, queue);

        if (check->epoch == epoch
            && ngx_memcmp(check->sid, sid, CAM_UUID_LEN) == 0)
        {
            return check;
        }
    }

    return NULL;
}


static ngx_camera_api_check_t *
ngx_camera_api_check_get(void)
{
    ngx_queue_t  *q;

    if (ngx_queue_empty(&ngx_camera_api_identities.free)) {
        return ngx_alloc(sizeof(ngx_camera_api_check_t),
                         ngx_camera_api_identities.log);
    }

    q = ngx_queue_head(&ngx_camera_api_identities.free);
    ngx_queue_remove(q);

    return ngx_queue_data(q, ngx_camera_api_check_t, queue);
}


static void
ngx_camera_api_check_done(void *data, ngx_camera_pg_rc_e rc,
    const PGresult *res, const ngx_camera_pg_error_t *error)
{
    ngx_camera_api_check_t    *check = data;
    ngx_camera_api_session_t   session;

    ngx_queue_remove(&check->queue);

    if (rc != NGX_CAMERA_PG_OK) {
        ngx_camera_api_check_tell(check, NGX_CAMERA_API_SERVICE_UNAVAILABLE,
                                  NULL);

    } else if (PQntuples(res) == 0) {
        ngx_camera_api_session_forget(check->sid);
        ngx_camera_api_check_tell(check, NGX_CAMERA_API_TOKEN_INVALID, NULL);

    } else {
        ngx_memcpy(session.sid, check->sid, CAM_UUID_LEN);
        ngx_camera_api_check_read(&session, res);
        ngx_camera_api_session_put(&session, check->epoch);
        ngx_camera_api_check_tell(check, NGX_CAMERA_API_OK, &session);
    }

    ngx_queue_insert_head(&ngx_camera_api_identities.free, &check->queue);
}


static void
ngx_camera_api_check_read(ngx_camera_api_session_t *session,
    const PGresult *res)
{
    ngx_memcpy(session->user, PQgetvalue(res, 0, 0), CAM_UUID_LEN);
    ngx_memcpy(session->tenant, PQgetvalue(res, 0, 1), CAM_UUID_LEN);

    ngx_cpystrn(session->username, (u_char *) PQgetvalue(res, 0, 2),
                sizeof(session->username));

    session->role = cam_role_parse(PQgetvalue(res, 0, 3),
                                   PQgetlength(res, 0, 3));

    session->scoped = PQgetvalue(res, 0, 4)[0] != 0;
    session->must_change = PQgetvalue(res, 0, 5)[0] != 0;
}


/* whoever is told may start anything, but waits for no check that is done */

static void
ngx_camera_api_check_tell(ngx_camera_api_check_t *check,
    ngx_camera_api_code_e code, const ngx_camera_api_session_t *session)
{
    ngx_queue_t                *q;
    ngx_camera_api_code_e       one;
    ngx_camera_api_identity_t  *identity;

    while (!ngx_queue_empty(&check->identities)) {
        q = ngx_queue_head(&check->identities);
        ngx_queue_remove(q);

        identity = ngx_queue_data(q, ngx_camera_api_identity_t, queue);
        identity->waiting = 0;
        one = code;

        if (code == NGX_CAMERA_API_OK) {

            if (ngx_memcmp(identity->principal.user, session->user,
                           CAM_UUID_LEN)
                == 0)
            {
                ngx_camera_api_identify_fill(&identity->principal, session);

            } else {
                one = NGX_CAMERA_API_TOKEN_INVALID;
            }
        }

        identity->handler(identity->data, one);
    }
}


static void
ngx_camera_api_identify_fill(ngx_camera_api_principal_t *p,
    const ngx_camera_api_session_t *session)
{
    ngx_memcpy(p->user, session->user, CAM_UUID_LEN);
    ngx_memcpy(p->tenant, session->tenant, CAM_UUID_LEN);
    ngx_memcpy(p->sid, session->sid, CAM_UUID_LEN);
    ngx_memcpy(p->username, session->username, sizeof(p->username));

    p->role = session->role;
    p->permissions = cam_role_permissions(session->role);
    p->scoped = session->scoped;
    p->must_change = session->must_change;

    cam_uuid_print((char *) p->tenant_uuid, p->tenant);

    p->tenant_text.data = p->tenant_uuid;
    p->tenant_text.len = CAM_UUID_TEXT;
}


/* "session:ID" or "user:ID"; what cannot be read may mean anybody */

static void
ngx_camera_api_principal_changed(void *data, const char *payload)
{
    u_char       id[CAM_UUID_LEN];
    const char  *text;

    text = ngx_strchr(payload, ':');

    if (text && cam_uuid_parse(id, text + 1, ngx_strlen(text + 1)) == 0) {

        if (ngx_strncmp(payload, "session:", 8) == 0) {
            ngx_camera_api_session_drop(id);
            return;
        }

        if (ngx_strncmp(payload, "user:", 5) == 0) {
            ngx_camera_api_user_changed(id);
            return;
        }
    }

    ngx_camera_api_session_drop_all();
}


static void
ngx_camera_api_user_changed(const u_char *user)
{
    if (ngx_camera_api_identities.dropped_at != ngx_current_msec) {
        ngx_camera_api_identities.dropped_at = ngx_current_msec;
        ngx_camera_api_identities.drops = 0;
    }

    if (++ngx_camera_api_identities.drops < NGX_CAMERA_API_DROPS_MAX) {
        ngx_camera_api_session_drop_user(user);

    } else if (ngx_camera_api_identities.drops == NGX_CAMERA_API_DROPS_MAX) {
        ngx_camera_api_session_drop_all();
    }
}


/* while nobody listened, anything may have happened */

static void
ngx_camera_api_identify_listening(void *data, ngx_uint_t up)
{
    if (up) {
        ngx_camera_api_session_drop_all();
    }
}
