/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Does the session of a token stand, or is an API token good?  What was learned
 * lately is in shared memory; otherwise the database is asked, once for all who
 * wait for the same in this worker.  An entry that is about to be too old is
 * asked for again beforehand, so that nobody waits who comes often.
 *
 *     a check    asked       [_start]   by the first who wants it
 *                answered    [_done]    stored; everybody who waits is told
 *
 * A check goes on when everybody who waited has left: its answer serves the
 * next one.  No answer is 503 for who waits, never a yes.
 */

#include "api_token.h"
#include "ngx_camera_api_core.h"
#include "ngx_camera_api_token.h"

#define NGX_CAMERA_API_CHECK_MSEC  2500

/* drops within one turn that cost a look at the whole table each */
#define NGX_CAMERA_API_DROPS_MAX   32

#define NGX_CAMERA_API_HASH_LEN    32
#define NGX_CAMERA_API_FOREVER     (10 * 366 * 86400)


/* what is asked about */

typedef struct {
    ngx_uint_t                 kind;
    u_char                     key[NGX_CAMERA_API_SESSION_KEY];
    u_char                     hash[2 * NGX_CAMERA_API_HASH_LEN];  /* in hex */
} ngx_camera_api_claim_t;


typedef struct {
    ngx_queue_t                queue;       /* of checks, or of free ones */
    ngx_queue_t                identities;  /* who waits */
    ngx_camera_api_claim_t     claim;
    ngx_atomic_uint_t          epoch;
} ngx_camera_api_check_t;


static ngx_uint_t ngx_camera_api_identify_may_ask(
    const ngx_camera_api_claim_t *claim, ngx_camera_api_identity_t *identity);
static ngx_int_t ngx_camera_api_claim_read(ngx_camera_api_claim_t *claim,
    ngx_camera_api_principal_t *p, const ngx_str_t *text);
static ngx_int_t ngx_camera_api_claim_read_api(ngx_camera_api_claim_t *claim,
    const ngx_str_t *text);
static ngx_int_t ngx_camera_api_check_start(
    const ngx_camera_api_claim_t *claim, ngx_camera_api_identity_t *identity);
static ngx_camera_pg_query_t *ngx_camera_api_check_ask(
    ngx_camera_api_check_t *check);
static ngx_camera_api_check_t *ngx_camera_api_check_find(const u_char *key);
static ngx_camera_api_check_t *ngx_camera_api_check_get(void);
static void ngx_camera_api_check_done(void *data, ngx_camera_pg_rc_e rc,
    const PGresult *res, const ngx_camera_pg_error_t *error);
static void ngx_camera_api_check_tell(ngx_camera_api_check_t *check,
    ngx_camera_api_code_e code, const ngx_camera_api_session_t *session);
static ngx_int_t ngx_camera_api_identify_judge(
    ngx_camera_api_identity_t *identity,
    const ngx_camera_api_session_t *session);
static ngx_int_t ngx_camera_api_identify_judge_api(
    ngx_camera_api_identity_t *identity,
    const ngx_camera_api_session_t *session);
static void ngx_camera_api_identify_fill(ngx_camera_api_principal_t *p,
    const ngx_camera_api_session_t *session);
static void ngx_camera_api_principal_changed(void *data, const char *payload);
static void ngx_camera_api_principal_drop(void (*drop)(const u_char *id),
    const u_char *id);
static void ngx_camera_api_identify_listening(void *data, ngx_uint_t up);


static struct {
    cam_keys_t               *keys;
    ngx_log_t                *log;
    ngx_queue_t               checks;
    ngx_queue_t               free;
    ngx_camera_api_notify_t   notify;

    ngx_msec_t                dropped_at;
    ngx_uint_t                drops;        /* at that moment */
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
    ngx_camera_api_claim_t     claim;
    ngx_camera_api_session_t   session;

    identity->waiting = 0;

    if (ngx_camera_api_claim_read(&claim, &identity->principal, text)
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    rc = ngx_camera_api_session_get(claim.key, &session);

    if (rc == NGX_DECLINED) {
        return ngx_camera_api_identify_may_ask(&claim, identity)
               ? ngx_camera_api_check_start(&claim, identity) : NGX_BUSY;
    }

    if (rc == NGX_AGAIN) {
        (void) ngx_camera_api_check_start(&claim, NULL);
    }

    return ngx_camera_api_identify_judge(identity, &session);
}


/* a session is asked about for who has its signed token, and nobody else */

static ngx_uint_t
ngx_camera_api_identify_may_ask(const ngx_camera_api_claim_t *claim,
    ngx_camera_api_identity_t *identity)
{
    return identity->stranger == NULL
           || claim->kind != NGX_CAMERA_API_TOKEN
           || ngx_camera_api_session_seen(claim->key)
           || identity->stranger(identity->data) == NGX_OK;
}


/* and what the token itself says of who it is */

static ngx_int_t
ngx_camera_api_claim_read(ngx_camera_api_claim_t *claim,
    ngx_camera_api_principal_t *p, const ngx_str_t *text)
{
    cam_token_t  token;

    if (cam_api_token_is((char *) text->data, text->len)) {
        p->kind = NGX_CAMERA_API_TOKEN;

        return ngx_camera_api_claim_read_api(claim, text);
    }

    if (ngx_camera_api_token_verify(ngx_camera_api_identities.keys, text,
                                    &token)
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    claim->kind = NGX_CAMERA_API_SESSION;
    ngx_memcpy(claim->key, token.sid, CAM_UUID_LEN);

    p->kind = NGX_CAMERA_API_SESSION;
    p->expires = (time_t) token.expires;
    ngx_memcpy(p->user, token.user, CAM_UUID_LEN);

    return NGX_OK;
}


static ngx_int_t
ngx_camera_api_claim_read_api(ngx_camera_api_claim_t *claim,
    const ngx_str_t *text)
{
    u_char  hash[NGX_CAMERA_API_HASH_LEN];

    if (cam_api_token_check((char *) text->data, text->len) != 0) {
        return NGX_DECLINED;
    }

    cam_token_sha256(hash, (char *) text->data, text->len);

    claim->kind = NGX_CAMERA_API_TOKEN;
    ngx_memcpy(claim->key, hash, NGX_CAMERA_API_SESSION_KEY);
    ngx_hex_dump(claim->hash, hash, sizeof(hash));

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
ngx_camera_api_check_start(const ngx_camera_api_claim_t *claim,
    ngx_camera_api_identity_t *identity)
{
    ngx_camera_api_check_t  *check;

    check = ngx_camera_api_check_find(claim->key);

    if (check == NULL) {
        check = ngx_camera_api_check_get();

        if (check == NULL) {
            return NGX_ERROR;
        }

        check->claim = *claim;
        ngx_queue_init(&check->identities);
        check->epoch = ngx_camera_api_session_epoch(claim->key);

        if (ngx_camera_api_check_ask(check) == NULL) {
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


static ngx_camera_pg_query_t *
ngx_camera_api_check_ask(ngx_camera_api_check_t *check)
{
    ngx_camera_pg_param_t        param;
    ngx_camera_api_statement_t  *statement;

    param.binary = 1;

    if (check->claim.kind == NGX_CAMERA_API_TOKEN) {
        statement = &ngx_camera_api_identify_check_api;
        param.data = (char *) check->claim.hash;
        param.len = sizeof(check->claim.hash);

    } else {
        statement = &ngx_camera_api_identify_check;
        param.data = (char *) check->claim.key;
        param.len = CAM_UUID_LEN;
    }

    return ngx_camera_api_pg_start(statement, &param, 1,
                                   NGX_CAMERA_API_CHECK_MSEC,
                                   ngx_camera_api_check_done, check);
}


/* what was asked before a drop is no answer to who comes after it */

static ngx_camera_api_check_t *
ngx_camera_api_check_find(const u_char *key)
{
    ngx_queue_t             *q, *checks;
    ngx_atomic_uint_t        epoch;
    ngx_camera_api_check_t  *check;

    checks = &ngx_camera_api_identities.checks;
    epoch = ngx_camera_api_session_epoch(key);

    for (q = ngx_queue_head(checks); q != checks; q = ngx_queue_next(q)) {
        check = ngx_queue_data(q, ngx_camera_api_check_t, queue);

        if (check->epoch == epoch
            && ngx_memcmp(check->claim.key, key, NGX_CAMERA_API_SESSION_KEY)
               == 0)
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
        ngx_camera_api_session_forget(check->claim.key);
        ngx_camera_api_check_tell(check, NGX_CAMERA_API_TOKEN_INVALID, NULL);

    } else {
        ngx_memzero(&session, sizeof(ngx_camera_api_session_t));
        ngx_memcpy(session.key, check->claim.key, NGX_CAMERA_API_SESSION_KEY);

        ngx_camera_api_identify_read(&session, check->claim.kind, res);
        ngx_camera_api_session_put(&session, check->epoch);
        ngx_camera_api_check_tell(check, NGX_CAMERA_API_OK, &session);
    }

    ngx_queue_insert_head(&ngx_camera_api_identities.free, &check->queue);
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

        if (code == NGX_CAMERA_API_OK
            && ngx_camera_api_identify_judge(identity, session) != NGX_OK)
        {
            one = NGX_CAMERA_API_TOKEN_INVALID;
        }

        identity->handler(identity->data, one);
    }
}


/* does what is known fit to what was shown, and to who shows it? */

static ngx_int_t
ngx_camera_api_identify_judge(ngx_camera_api_identity_t *identity,
    const ngx_camera_api_session_t *session)
{
    ngx_camera_api_principal_t  *p;

    p = &identity->principal;

    if (session->kind != p->kind) {
        return NGX_DECLINED;
    }

    if (p->kind == NGX_CAMERA_API_TOKEN) {

        if (ngx_camera_api_identify_judge_api(identity, session) != NGX_OK) {
            return NGX_DECLINED;
        }

    } else if (ngx_memcmp(session->user, p->user, CAM_UUID_LEN) != 0) {
        return NGX_DECLINED;
    }

    ngx_camera_api_identify_fill(p, session);

    return NGX_OK;
}


/* a token that is shown elsewhere was stolen, or its list forgot somebody */

static ngx_int_t
ngx_camera_api_identify_judge_api(ngx_camera_api_identity_t *identity,
    const ngx_camera_api_session_t *session)
{
    char  id[CAM_UUID_TEXT + 1];

    identity->principal.expires = session->expires
                                  ? session->expires
                                  : ngx_time() + NGX_CAMERA_API_FOREVER;

    if (identity->principal.expires <= ngx_time()) {
        return NGX_DECLINED;
    }

    if (!cam_cidr_allows(session->cidrs, NGX_CAMERA_API_SESSION_CIDRS,
                         identity->peer))
    {
        ngx_log_error(NGX_LOG_WARN, ngx_camera_api_identities.log, 0,
                      "API token %s was shown by an address that it is not "
                      "for", cam_uuid_print(id, session->id));
        return NGX_DECLINED;
    }

    return NGX_OK;
}


static void
ngx_camera_api_identify_fill(ngx_camera_api_principal_t *p,
    const ngx_camera_api_session_t *session)
{
    ngx_memcpy(p->key, session->key, NGX_CAMERA_API_SESSION_KEY);
    ngx_memcpy(p->user, session->user, CAM_UUID_LEN);
    ngx_memcpy(p->tenant, session->tenant, CAM_UUID_LEN);
    ngx_memcpy(p->sid, session->id, CAM_UUID_LEN);
    ngx_memcpy(p->username, session->username, sizeof(p->username));

    if (session->kind == NGX_CAMERA_API_TOKEN) {
        ngx_memcpy(p->token, session->id, CAM_UUID_LEN);

    } else {
        ngx_memzero(p->token, CAM_UUID_LEN);
    }

    p->role = session->role;
    p->permissions = session->permissions;
    p->scoped = session->scoped;
    p->must_change = session->must_change;

    p->rate.requests = session->requests;
    p->rate.seconds = session->seconds;
    p->concurrent = session->concurrent;
    p->tenant_requests = session->tenant_requests;

    cam_uuid_print((char *) p->tenant_uuid, p->tenant);

    p->tenant_text.data = p->tenant_uuid;
    p->tenant_text.len = CAM_UUID_TEXT;
}


/* what cannot be read may mean anybody */

static void
ngx_camera_api_principal_changed(void *data, const char *payload)
{
    u_char      id[CAM_UUID_LEN];
    ngx_uint_t  i;

    static const struct {
        const char  *prefix;
        void       (*drop)(const u_char *id);
    } kinds[] = {
        { "token:", ngx_camera_api_session_drop_token },
        { "user:", ngx_camera_api_session_drop_user },
        { "tenant:", ngx_camera_api_session_drop_tenant }
    };

    if (ngx_camera_api_principal_named(payload, "session:", id)) {
        ngx_camera_api_session_drop(id);
        return;
    }

    for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {

        if (ngx_camera_api_principal_named(payload, kinds[i].prefix, id)) {
            ngx_camera_api_principal_drop(kinds[i].drop, id);
            return;
        }
    }

    ngx_camera_api_session_drop_all();
}


ngx_uint_t
ngx_camera_api_principal_named(const char *payload, const char *prefix,
    u_char id[CAM_UUID_LEN])
{
    size_t  len;

    len = ngx_strlen(prefix);

    return ngx_strncmp(payload, prefix, len) == 0
           && cam_uuid_parse(id, payload + len, ngx_strlen(payload + len))
              == 0;
}


static void
ngx_camera_api_principal_drop(void (*drop)(const u_char *id),
    const u_char *id)
{
    if (ngx_camera_api_identities.dropped_at != ngx_current_msec) {
        ngx_camera_api_identities.dropped_at = ngx_current_msec;
        ngx_camera_api_identities.drops = 0;
    }

    if (++ngx_camera_api_identities.drops < NGX_CAMERA_API_DROPS_MAX) {
        drop(id);

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
