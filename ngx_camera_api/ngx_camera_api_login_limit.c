/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Who had wrong passwords lately.  After some of one account from one address
 * the next attempt has to wait a second, and each further one doubles that, up
 * to a quarter of an hour; the right password, or a day without an attempt,
 * forgets it all.  Nobody can lock somebody else out: another address has
 * another count.  The other bound is that of the address, over all accounts,
 * which is a rate like any other and known to all nodes.
 *
 * Accounts are kept as hashes: the table holds no names, and no name is too
 * long for it.
 */

#include <openssl/rand.h>
#include <openssl/sha.h>

#include "ngx_camera_api_core.h"
#include "ngx_camera_api_login_limit.h"

#define NGX_CAMERA_API_LOGIN_SETS     512
#define NGX_CAMERA_API_LOGIN_WAYS     8
#define NGX_CAMERA_API_LOGIN_NAME     1024         /* bytes, at most */

#define NGX_CAMERA_API_LOGIN_FIRST    1000         /* ms */
#define NGX_CAMERA_API_LOGIN_LONGEST  900000
#define NGX_CAMERA_API_LOGIN_FORGET   86400000


typedef struct {
    u_char                         hash[NGX_CAMERA_API_LOGIN_HASH];
    ngx_msec_t                     last;      /* attempt */
    ngx_msec_t                     until;     /* nobody tries before */
    ngx_uint_t                     failures;  /* 0: free */
    ngx_uint_t                     told;      /* the log knows of the wait */
} ngx_camera_api_login_entry_t;


typedef struct {
    u_char                         salt[16];
    ngx_camera_api_login_entry_t   entries[NGX_CAMERA_API_LOGIN_SETS
                                           * NGX_CAMERA_API_LOGIN_WAYS];
} ngx_camera_api_login_table_t;


static ngx_int_t ngx_camera_api_login_init_zone(ngx_shm_zone_t *zone,
    void *data);
static ngx_int_t ngx_camera_api_login_count_address(
    ngx_camera_api_login_attempt_t *attempt);
static ngx_int_t ngx_camera_api_login_count_account(
    ngx_camera_api_login_attempt_t *attempt);
static ngx_msec_t ngx_camera_api_login_count(
    ngx_camera_api_login_entry_t *entry, ngx_uint_t allowed);
static void ngx_camera_api_login_put_off(ngx_camera_api_login_entry_t *entry,
    ngx_uint_t allowed);
static ngx_int_t ngx_camera_api_login_wait(
    ngx_camera_api_login_attempt_t *attempt, time_t seconds, const char *what);
static void ngx_camera_api_login_refund(
    ngx_camera_api_login_attempt_t *attempt);
static void ngx_camera_api_login_cleanup(void *data);
static void ngx_camera_api_login_hash(ngx_camera_api_login_attempt_t *attempt,
    const char *account, size_t len, u_char *hash);
static ngx_camera_api_login_entry_t *ngx_camera_api_login_find(
    const u_char *hash);


static ngx_slab_pool_t               *ngx_camera_api_login_pool;
static ngx_camera_api_login_table_t  *ngx_camera_api_logins;


ngx_int_t
ngx_camera_api_login_zone(ngx_conf_t *cf, void *tag)
{
    size_t           size;
    ngx_shm_zone_t  *zone;

    static ngx_str_t  name = ngx_string("camera_api_logins");

    size = sizeof(ngx_camera_api_login_table_t) + 16 * ngx_pagesize;

    zone = ngx_shared_memory_add(cf, &name, size, tag);
    if (zone == NULL) {
        return NGX_ERROR;
    }

    zone->init = ngx_camera_api_login_init_zone;

    return NGX_OK;
}


static ngx_int_t
ngx_camera_api_login_init_zone(ngx_shm_zone_t *zone, void *data)
{
    ngx_slab_pool_t               *pool;
    ngx_camera_api_login_table_t  *table;

    pool = (ngx_slab_pool_t *) zone->shm.addr;
    table = data ? data : pool->data;

    if (table == NULL) {
        table = ngx_slab_calloc(pool, sizeof(ngx_camera_api_login_table_t));

        if (table == NULL
            || RAND_bytes(table->salt, sizeof(table->salt)) != 1)
        {
            return NGX_ERROR;
        }

        pool->data = table;
    }

    zone->data = table;

    ngx_camera_api_login_pool = pool;
    ngx_camera_api_logins = table;

    return NGX_OK;
}


/* the address goes first: beyond its bound nobody fills the table */

ngx_int_t
ngx_camera_api_login_begin(ngx_camera_api_ctx_t *ctx,
    ngx_camera_api_login_attempt_t *attempt, const char *account, size_t len)
{
    u_char              *p;
    ngx_http_cleanup_t  *cln;

    cln = ngx_http_cleanup_add(ctx->request, 0);
    if (cln == NULL) {
        return ngx_camera_api_refuse(ctx, NGX_CAMERA_API_INTERNAL_ERROR);
    }

    attempt->ctx = ctx;
    attempt->judged = 0;

    p = ngx_cpymem(attempt->address, "login:", 6);
    attempt->address_len = 6 + ngx_camera_api_address(ctx->request, p,
                                             NGX_CAMERA_API_LIMIT_ID - 6);

    ngx_camera_api_login_hash(attempt, account, len, attempt->hash);

    if (ngx_camera_api_login_count_address(attempt) != NGX_OK
        || ngx_camera_api_login_count_account(attempt) != NGX_OK)
    {
        return NGX_DONE;
    }

    cln->handler = ngx_camera_api_login_cleanup;
    cln->data = attempt;

    return NGX_OK;
}


/* an entry of no account remembers until when the log knows of it */

static ngx_int_t
ngx_camera_api_login_count_address(ngx_camera_api_login_attempt_t *attempt)
{
    u_char                         hash[NGX_CAMERA_API_LOGIN_HASH];
    ngx_str_t                      id;
    ngx_uint_t                     tell;
    ngx_camera_api_main_conf_t    *amcf;
    ngx_camera_api_limit_state_t   state;
    ngx_camera_api_login_entry_t  *entry;

    amcf = ngx_http_get_module_main_conf(attempt->ctx->request,
                                         ngx_camera_api_module);

    id.data = attempt->address;
    id.len = attempt->address_len;

    if (ngx_camera_api_limit_count(&id, &amcf->login_rate, 1, &state)
        == NGX_OK)
    {
        return NGX_OK;
    }

    ngx_camera_api_login_hash(attempt, "", 0, hash);

    ngx_shmtx_lock(&ngx_camera_api_login_pool->mutex);

    entry = ngx_camera_api_login_find(hash);
    tell = entry->failures == 0 || ngx_current_msec >= entry->until;

    if (tell) {
        entry->failures = 1;
        entry->last = ngx_current_msec;
        entry->until = ngx_current_msec + state.reset * 1000;
    }

    ngx_shmtx_unlock(&ngx_camera_api_login_pool->mutex);

    return ngx_camera_api_login_wait(attempt, state.reset,
                                     tell ? "from this address" : NULL);
}


static ngx_int_t
ngx_camera_api_login_count_account(ngx_camera_api_login_attempt_t *attempt)
{
    ngx_uint_t                     tell;
    ngx_msec_t                     wait;
    ngx_camera_api_main_conf_t    *amcf;
    ngx_camera_api_login_entry_t  *entry;

    amcf = ngx_http_get_module_main_conf(attempt->ctx->request,
                                         ngx_camera_api_module);

    ngx_shmtx_lock(&ngx_camera_api_login_pool->mutex);

    entry = ngx_camera_api_login_find(attempt->hash);
    wait = ngx_camera_api_login_count(entry, amcf->login_failures);

    tell = wait && !entry->told;
    entry->told = wait != 0;

    ngx_shmtx_unlock(&ngx_camera_api_login_pool->mutex);

    if (wait == 0) {
        return NGX_OK;
    }

    ngx_camera_api_login_refund(attempt);

    return ngx_camera_api_login_wait(attempt, (time_t) ((wait + 999) / 1000),
                                     tell ? "of one account" : NULL);
}


/* 0: counted; otherwise milliseconds to wait */

static ngx_msec_t
ngx_camera_api_login_count(ngx_camera_api_login_entry_t *entry,
    ngx_uint_t allowed)
{
    ngx_msec_t  now;

    now = ngx_current_msec;

    /* another worker's clock may be a little ahead */

    if (entry->failures && (ngx_msec_int_t) (entry->until - now) > 0) {
        return entry->until - now;
    }

    if ((ngx_msec_int_t) (now - entry->last) > NGX_CAMERA_API_LOGIN_FORGET) {
        entry->failures = 0;
    }

    entry->failures++;
    ngx_camera_api_login_put_off(entry, allowed);

    return 0;
}


static void
ngx_camera_api_login_put_off(ngx_camera_api_login_entry_t *entry,
    ngx_uint_t allowed)
{
    ngx_uint_t  n;

    entry->last = ngx_current_msec;
    entry->until = ngx_current_msec;

    if (entry->failures >= allowed) {
        n = ngx_min(entry->failures - allowed, 10);

        entry->until += ngx_min((ngx_msec_t) NGX_CAMERA_API_LOGIN_FIRST << n,
                                NGX_CAMERA_API_LOGIN_LONGEST);
    }
}


/* a line for each wait, without the name: it may be a password, typed into the
   wrong field */

static ngx_int_t
ngx_camera_api_login_wait(ngx_camera_api_login_attempt_t *attempt,
    time_t seconds, const char *what)
{
    ngx_camera_api_ctx_t  *ctx;

    ctx = attempt->ctx;

    if (what) {
        ngx_log_error(NGX_LOG_WARN, ctx->request->connection->log, 0,
                      "too many wrong passwords %s, the next one has to wait "
                      "%T s", what, seconds);
    }

    ngx_camera_api_metrics_limited(NGX_CAMERA_API_POLICY_LOGIN);
    ngx_camera_api_error_later(ctx, NGX_CAMERA_API_RATE_LIMIT_EXCEEDED,
                               seconds);

    return NGX_DONE;
}


/* the wait begins with the answer, however long that took */

void
ngx_camera_api_login_judged(ngx_camera_api_login_attempt_t *attempt,
    ngx_uint_t right)
{
    ngx_camera_api_main_conf_t    *amcf;
    ngx_camera_api_login_entry_t  *entry;

    amcf = ngx_http_get_module_main_conf(attempt->ctx->request,
                                         ngx_camera_api_module);

    attempt->judged = 1;

    ngx_shmtx_lock(&ngx_camera_api_login_pool->mutex);

    entry = ngx_camera_api_login_find(attempt->hash);

    if (right) {
        entry->failures = 0;

    } else {
        entry->failures += entry->failures == 0;
        ngx_camera_api_login_put_off(entry, amcf->login_failures);
    }

    ngx_shmtx_unlock(&ngx_camera_api_login_pool->mutex);

    if (right) {
        ngx_camera_api_login_refund(attempt);
    }
}


static void
ngx_camera_api_login_refund(ngx_camera_api_login_attempt_t *attempt)
{
    ngx_str_t  id;

    id.data = attempt->address;
    id.len = attempt->address_len;

    ngx_camera_api_limit_refund(&id);
}


/* ended without a judgement, and not because the client left */

static void
ngx_camera_api_login_cleanup(void *data)
{
    ngx_camera_api_login_attempt_t *attempt = data;

    ngx_camera_api_code_e          code;
    ngx_camera_api_login_entry_t  *entry;

    code = attempt->ctx->code;

    if (attempt->judged || (code != NGX_CAMERA_API_SERVICE_UNAVAILABLE
                            && code != NGX_CAMERA_API_INTERNAL_ERROR))
    {
        return;
    }

    ngx_shmtx_lock(&ngx_camera_api_login_pool->mutex);

    entry = ngx_camera_api_login_find(attempt->hash);

    if (entry->failures) {
        entry->failures--;
        entry->until = ngx_current_msec;
    }

    ngx_shmtx_unlock(&ngx_camera_api_login_pool->mutex);

    ngx_camera_api_login_refund(attempt);
}


/* names are the same in any case, as the database has it */

static void
ngx_camera_api_login_hash(ngx_camera_api_login_attempt_t *attempt,
    const char *account, size_t len, u_char *hash)
{
    u_char   text[sizeof(ngx_camera_api_logins->salt)
                  + NGX_CAMERA_API_LIMIT_ID + SHA256_DIGEST_LENGTH];
    u_char   name[NGX_CAMERA_API_LOGIN_NAME], digest[SHA256_DIGEST_LENGTH];
    u_char  *p;

    len = ngx_min(len, sizeof(name));
    ngx_strlow(name, (u_char *) account, len);

    p = ngx_cpymem(text, ngx_camera_api_logins->salt,
                   sizeof(ngx_camera_api_logins->salt));
    p = ngx_cpymem(p, attempt->address, attempt->address_len);

    (void) SHA256(name, len, p);
    p += SHA256_DIGEST_LENGTH;

    (void) SHA256(text, p - text, digest);

    ngx_memcpy(hash, digest, NGX_CAMERA_API_LOGIN_HASH);
}


ngx_int_t
ngx_camera_api_login_once(const u_char *hash, ngx_msec_t msec)
{
    ngx_uint_t                     used;
    ngx_camera_api_login_entry_t  *entry;

    ngx_shmtx_lock(&ngx_camera_api_login_pool->mutex);

    entry = ngx_camera_api_login_find(hash);

    used = entry->failures
           && (ngx_msec_int_t) (entry->until - ngx_current_msec) > 0;

    if (!used) {
        entry->failures = 1;
        entry->last = ngx_current_msec;
        entry->until = ngx_current_msec + msec;
    }

    ngx_shmtx_unlock(&ngx_camera_api_login_pool->mutex);

    return used ? NGX_DECLINED : NGX_OK;
}


/* its own entry, or the one of the oldest attempt made its own */

static ngx_camera_api_login_entry_t *
ngx_camera_api_login_find(const u_char *hash)
{
    ngx_uint_t                     i;
    ngx_camera_api_login_entry_t  *set, *best;

    set = &ngx_camera_api_logins->entries[((ngx_uint_t) hash[0] << 8 | hash[1])
                                          % NGX_CAMERA_API_LOGIN_SETS
                                          * NGX_CAMERA_API_LOGIN_WAYS];
    best = set;

    for (i = 0; i < NGX_CAMERA_API_LOGIN_WAYS; i++) {

        if (ngx_memcmp(set[i].hash, hash, NGX_CAMERA_API_LOGIN_HASH) == 0) {
            return &set[i];
        }

        if (best->failures && (set[i].failures == 0
                               || set[i].last < best->last))
        {
            best = &set[i];
        }
    }

    ngx_memzero(best, sizeof(ngx_camera_api_login_entry_t));
    ngx_memcpy(best->hash, hash, NGX_CAMERA_API_LOGIN_HASH);

    return best;
}
