/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Who failed to log in lately.  After some failures of one account from one
 * address the next attempt has to wait a minute, and each further failure
 * doubles that, up to a quarter of an hour; a quarter of an hour without an
 * attempt forgets it all.  The other bound is that of the address, over all
 * accounts, which is a rate like any other and known to all nodes.
 *
 * Accounts are kept as hashes: the table holds no names, and no name is too
 * long for it.
 */

#include <openssl/sha.h>

#include "ngx_camera_api_core.h"
#include "ngx_camera_api_limit.h"
#include "ngx_camera_api_login_limit.h"

#define NGX_CAMERA_API_LOGIN_SETS    512
#define NGX_CAMERA_API_LOGIN_WAYS    8
#define NGX_CAMERA_API_LOGIN_HASH    16

#define NGX_CAMERA_API_LOGIN_FIRST   60       /* seconds */
#define NGX_CAMERA_API_LOGIN_LONGEST 900


typedef struct {
    u_char                         hash[NGX_CAMERA_API_LOGIN_HASH];
    time_t                         last;      /* attempt, 0: free */
    time_t                         until;     /* nobody tries before */
    ngx_uint_t                     failures;
} ngx_camera_api_login_entry_t;


typedef struct {
    u_char                         salt[16];
    ngx_camera_api_login_entry_t   entries[NGX_CAMERA_API_LOGIN_SETS
                                           * NGX_CAMERA_API_LOGIN_WAYS];
} ngx_camera_api_login_table_t;


static ngx_int_t ngx_camera_api_login_init_zone(ngx_shm_zone_t *zone,
    void *data);
static time_t ngx_camera_api_login_count(ngx_camera_api_login_entry_t *entry,
    ngx_uint_t allowed);
static ngx_int_t ngx_camera_api_login_hash(ngx_camera_api_ctx_t *ctx,
    const ngx_str_t *account, u_char *hash);
static ngx_camera_api_login_entry_t *ngx_camera_api_login_find(
    const u_char *hash);
static void ngx_camera_api_login_address(ngx_camera_api_ctx_t *ctx,
    ngx_str_t *id, u_char *text);


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
    ngx_uint_t                     i;
    ngx_slab_pool_t               *pool;
    ngx_camera_api_login_table_t  *table;

    pool = (ngx_slab_pool_t *) zone->shm.addr;
    table = data ? data : pool->data;

    if (table == NULL) {
        table = ngx_slab_calloc(pool, sizeof(ngx_camera_api_login_table_t));
        if (table == NULL) {
            return NGX_ERROR;
        }

        for (i = 0; i < sizeof(table->salt); i++) {
            table->salt[i] = (u_char) ngx_random();
        }

        pool->data = table;
    }

    zone->data = table;

    ngx_camera_api_login_pool = pool;
    ngx_camera_api_logins = table;

    return NGX_OK;
}


time_t
ngx_camera_api_login_try(ngx_camera_api_ctx_t *ctx, const ngx_str_t *account)
{
    time_t                         wait;
    u_char                         hash[SHA256_DIGEST_LENGTH];
    u_char                         text[NGX_CAMERA_API_LIMIT_ID];
    ngx_str_t                      id;
    ngx_camera_api_main_conf_t    *amcf;
    ngx_camera_api_limit_state_t   state;

    amcf = ngx_http_get_module_main_conf(ctx->request, ngx_camera_api_module);

    if (ngx_camera_api_login_hash(ctx, account, hash) != NGX_OK) {
        return NGX_CAMERA_API_LOGIN_FIRST;
    }

    ngx_shmtx_lock(&ngx_camera_api_login_pool->mutex);

    wait = ngx_camera_api_login_count(ngx_camera_api_login_find(hash),
                                      amcf->login_failures);

    ngx_shmtx_unlock(&ngx_camera_api_login_pool->mutex);

    if (wait) {
        return wait;
    }

    ngx_camera_api_login_address(ctx, &id, text);

    if (ngx_camera_api_limit_count(&id, &amcf->login_rate, 1, &state)
        != NGX_OK)
    {
        return state.reset;
    }

    return 0;
}


static time_t
ngx_camera_api_login_count(ngx_camera_api_login_entry_t *entry,
    ngx_uint_t allowed)
{
    time_t      now, wait;
    ngx_uint_t  i;

    now = ngx_time();

    if (now < entry->until) {
        return entry->until - now;
    }

    if (now - entry->last > NGX_CAMERA_API_LOGIN_LONGEST) {
        entry->failures = 0;
    }

    entry->last = now;
    entry->failures++;

    if (entry->failures >= allowed) {
        wait = NGX_CAMERA_API_LOGIN_FIRST;

        for (i = allowed; i < entry->failures
                          && wait < NGX_CAMERA_API_LOGIN_LONGEST; i++)
        {
            wait *= 2;
        }

        entry->until = now + ngx_min(wait, NGX_CAMERA_API_LOGIN_LONGEST);
    }

    return 0;
}


void
ngx_camera_api_login_passed(ngx_camera_api_ctx_t *ctx,
    const ngx_str_t *account)
{
    u_char                         hash[SHA256_DIGEST_LENGTH];
    u_char                         text[NGX_CAMERA_API_LIMIT_ID];
    ngx_str_t                      id;
    ngx_camera_api_login_entry_t  *entry;

    if (ngx_camera_api_login_hash(ctx, account, hash) != NGX_OK) {
        return;
    }

    ngx_shmtx_lock(&ngx_camera_api_login_pool->mutex);

    entry = ngx_camera_api_login_find(hash);
    entry->failures = 0;
    entry->until = 0;
    entry->last = 0;

    ngx_shmtx_unlock(&ngx_camera_api_login_pool->mutex);

    ngx_camera_api_login_address(ctx, &id, text);
    ngx_camera_api_limit_refund(&id);
}


void
ngx_camera_api_login_undone(ngx_camera_api_ctx_t *ctx,
    const ngx_str_t *account)
{
    u_char                         hash[SHA256_DIGEST_LENGTH];
    u_char                         text[NGX_CAMERA_API_LIMIT_ID];
    ngx_str_t                      id;
    ngx_camera_api_login_entry_t  *entry;

    if (ngx_camera_api_login_hash(ctx, account, hash) != NGX_OK) {
        return;
    }

    ngx_shmtx_lock(&ngx_camera_api_login_pool->mutex);

    entry = ngx_camera_api_login_find(hash);

    if (entry->failures) {
        entry->failures--;
        entry->until = 0;
    }

    ngx_shmtx_unlock(&ngx_camera_api_login_pool->mutex);

    ngx_camera_api_login_address(ctx, &id, text);
    ngx_camera_api_limit_refund(&id);
}


/* names are the same in any case, as the database has it */

static ngx_int_t
ngx_camera_api_login_hash(ngx_camera_api_ctx_t *ctx, const ngx_str_t *account,
    u_char *hash)
{
    u_char     *text, *p;
    ngx_str_t   address;

    static const size_t  salt = sizeof(ngx_camera_api_logins->salt);

    text = ngx_pnalloc(ctx->request->pool,
                       salt + NGX_CAMERA_API_LIMIT_ID + account->len);
    if (text == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(text, ngx_camera_api_logins->salt, salt);

    address.data = p;
    address.len = ngx_camera_api_address(ctx->request, p,
                                         NGX_CAMERA_API_LIMIT_ID);

    p += address.len;
    *p++ = ' ';

    ngx_strlow(p, account->data, account->len);
    p += account->len;

    (void) SHA256(text, p - text, hash);

    return NGX_OK;
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

        if (set[i].last < best->last) {
            best = &set[i];
        }
    }

    ngx_memzero(best, sizeof(ngx_camera_api_login_entry_t));
    ngx_memcpy(best->hash, hash, NGX_CAMERA_API_LOGIN_HASH);

    return best;
}


static void
ngx_camera_api_login_address(ngx_camera_api_ctx_t *ctx, ngx_str_t *id,
    u_char *text)
{
    u_char  *p;

    p = ngx_cpymem(text, "login:", 6);
    p += ngx_camera_api_address(ctx->request, p, NGX_CAMERA_API_LIMIT_ID - 6);

    id->data = text;
    id->len = p - text;
}
