/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The table of credentials: sets of eight entries under one lock, which nginx's
 * master takes away from a worker that dies with it.  The oldest entry of a
 * set makes room for a new one.  Times are ngx_current_msec, the monotonic
 * clock, which all workers share.
 */

#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_camera_api_session.h"

#define NGX_CAMERA_API_SESSION_SETS     1024
#define NGX_CAMERA_API_SESSION_WAYS     8

#define NGX_CAMERA_API_SESSION_BELIEVE  5000   /* ms since it was asked */
#define NGX_CAMERA_API_SESSION_SOON     3000
#define NGX_CAMERA_API_SESSION_PAUSE    1000   /* between two who look again */


typedef struct {
    ngx_camera_api_session_t        session;
    ngx_msec_t                      asked;
    ngx_msec_t                      renewing;  /* when somebody was told to */
    ngx_atomic_uint_t               epoch;     /* of the table, 0: free */
} ngx_camera_api_session_entry_t;


typedef struct {
    ngx_atomic_t                    epoch;
    ngx_camera_api_session_entry_t  entries[NGX_CAMERA_API_SESSION_WAYS];
} ngx_camera_api_session_set_t;


typedef struct {
    ngx_atomic_t                    epoch;
    ngx_atomic_uint_t               all;       /* older ones were dropped */
    ngx_camera_api_session_set_t    sets[NGX_CAMERA_API_SESSION_SETS];
} ngx_camera_api_session_table_t;


static ngx_int_t ngx_camera_api_session_init_zone(ngx_shm_zone_t *zone,
    void *data);
static void ngx_camera_api_session_drop_where(size_t offset,
    const u_char *id);
static ngx_camera_api_session_entry_t *ngx_camera_api_session_find(
    const u_char *key);
static ngx_camera_api_session_entry_t *ngx_camera_api_session_own(
    const u_char *key);
static ngx_camera_api_session_entry_t *ngx_camera_api_session_place(
    const u_char *key);
static ngx_camera_api_session_set_t *ngx_camera_api_session_set(
    const u_char *key);
static ngx_atomic_uint_t ngx_camera_api_session_sum(const u_char *key);
static ngx_msec_t ngx_camera_api_session_age(
    const ngx_camera_api_session_entry_t *entry);


static ngx_slab_pool_t                 *ngx_camera_api_session_pool;
static ngx_camera_api_session_table_t  *ngx_camera_api_session_table;


ngx_int_t
ngx_camera_api_session_zone(ngx_conf_t *cf, void *tag)
{
    size_t           size;
    ngx_shm_zone_t  *zone;

    static ngx_str_t  name = ngx_string("camera_api_sessions");

    size = sizeof(ngx_camera_api_session_table_t) + 16 * ngx_pagesize;

    zone = ngx_shared_memory_add(cf, &name, size, tag);
    if (zone == NULL) {
        return NGX_ERROR;
    }

    zone->init = ngx_camera_api_session_init_zone;

    return NGX_OK;
}


static ngx_int_t
ngx_camera_api_session_init_zone(ngx_shm_zone_t *zone, void *data)
{
    ngx_slab_pool_t                 *pool;
    ngx_camera_api_session_table_t  *table;

    pool = (ngx_slab_pool_t *) zone->shm.addr;
    table = data ? data : pool->data;

    if (table == NULL) {
        table = ngx_slab_calloc(pool, sizeof(ngx_camera_api_session_table_t));
        if (table == NULL) {
            return NGX_ERROR;
        }

        table->epoch = 1;
        pool->data = table;
    }

    zone->data = table;

    ngx_camera_api_session_pool = pool;
    ngx_camera_api_session_table = table;

    return NGX_OK;
}


ngx_int_t
ngx_camera_api_session_get(const u_char *key,
    ngx_camera_api_session_t *session)
{
    ngx_int_t                        rc;
    ngx_msec_t                       age;
    ngx_camera_api_session_entry_t  *entry;

    rc = NGX_DECLINED;

    ngx_shmtx_lock(&ngx_camera_api_session_pool->mutex);

    entry = ngx_camera_api_session_find(key);

    if (entry) {
        age = ngx_camera_api_session_age(entry);

        if (age < NGX_CAMERA_API_SESSION_BELIEVE) {
            *session = entry->session;
            rc = NGX_OK;
        }

        if (age >= NGX_CAMERA_API_SESSION_SOON && rc == NGX_OK
            && ngx_current_msec - entry->renewing
               >= NGX_CAMERA_API_SESSION_PAUSE)
        {
            entry->renewing = ngx_current_msec;
            rc = NGX_AGAIN;
        }
    }

    ngx_shmtx_unlock(&ngx_camera_api_session_pool->mutex);

    return rc;
}


ngx_uint_t
ngx_camera_api_session_seen(const u_char *key)
{
    ngx_uint_t  seen;

    ngx_shmtx_lock(&ngx_camera_api_session_pool->mutex);

    seen = ngx_camera_api_session_own(key) != NULL;

    ngx_shmtx_unlock(&ngx_camera_api_session_pool->mutex);

    return seen;
}


ngx_atomic_uint_t
ngx_camera_api_session_epoch(const u_char *key)
{
    ngx_atomic_uint_t  epoch;

    ngx_shmtx_lock(&ngx_camera_api_session_pool->mutex);

    epoch = ngx_camera_api_session_sum(key);

    ngx_shmtx_unlock(&ngx_camera_api_session_pool->mutex);

    return epoch;
}


void
ngx_camera_api_session_put(const ngx_camera_api_session_t *session,
    ngx_atomic_uint_t epoch)
{
    ngx_camera_api_session_entry_t  *entry;

    ngx_shmtx_lock(&ngx_camera_api_session_pool->mutex);

    if (ngx_camera_api_session_sum(session->key) == epoch) {
        entry = ngx_camera_api_session_place(session->key);

        entry->session = *session;
        entry->asked = ngx_current_msec;
        entry->epoch = ngx_camera_api_session_table->epoch;
    }

    ngx_shmtx_unlock(&ngx_camera_api_session_pool->mutex);
}


void
ngx_camera_api_session_forget(const u_char *key)
{
    ngx_camera_api_session_entry_t  *entry;

    ngx_shmtx_lock(&ngx_camera_api_session_pool->mutex);

    entry = ngx_camera_api_session_own(key);

    if (entry) {
        entry->epoch = 0;
    }

    ngx_shmtx_unlock(&ngx_camera_api_session_pool->mutex);
}


void
ngx_camera_api_session_drop(const u_char *key)
{
    ngx_camera_api_session_entry_t  *entry;

    ngx_shmtx_lock(&ngx_camera_api_session_pool->mutex);

    ngx_camera_api_session_set(key)->epoch++;
    entry = ngx_camera_api_session_own(key);

    if (entry) {
        entry->epoch = 0;
    }

    ngx_shmtx_unlock(&ngx_camera_api_session_pool->mutex);
}


void
ngx_camera_api_session_drop_token(const u_char *id)
{
    ngx_camera_api_session_drop_where(offsetof(ngx_camera_api_session_t, id),
                                      id);
}


void
ngx_camera_api_session_drop_user(const u_char *user)
{
    ngx_camera_api_session_drop_where(offsetof(ngx_camera_api_session_t, user),
                                      user);
}


void
ngx_camera_api_session_drop_tenant(const u_char *tenant)
{
    ngx_camera_api_session_drop_where(offsetof(ngx_camera_api_session_t,
                                               tenant),
                                      tenant);
}


static void
ngx_camera_api_session_drop_where(size_t offset, const u_char *id)
{
    u_char                          *p;
    ngx_uint_t                       i, j;
    ngx_camera_api_session_entry_t  *entry;

    ngx_shmtx_lock(&ngx_camera_api_session_pool->mutex);

    ngx_camera_api_session_table->epoch++;

    for (i = 0; i < NGX_CAMERA_API_SESSION_SETS; i++) {
        entry = ngx_camera_api_session_table->sets[i].entries;

        for (j = 0; j < NGX_CAMERA_API_SESSION_WAYS; j++) {
            p = (u_char *) &entry[j].session + offset;

            if (ngx_memcmp(p, id, CAM_UUID_LEN) == 0) {
                entry[j].epoch = 0;
            }
        }
    }

    ngx_shmtx_unlock(&ngx_camera_api_session_pool->mutex);
}


void
ngx_camera_api_session_drop_all(void)
{
    ngx_shmtx_lock(&ngx_camera_api_session_pool->mutex);

    ngx_camera_api_session_table->all = ++ngx_camera_api_session_table->epoch;

    ngx_shmtx_unlock(&ngx_camera_api_session_pool->mutex);
}


static ngx_camera_api_session_entry_t *
ngx_camera_api_session_find(const u_char *key)
{
    ngx_camera_api_session_entry_t  *entry;

    entry = ngx_camera_api_session_own(key);

    return entry && entry->epoch >= ngx_camera_api_session_table->all
           ? entry : NULL;
}


/* also when it was dropped with all others */

static ngx_camera_api_session_entry_t *
ngx_camera_api_session_own(const u_char *key)
{
    ngx_uint_t                       i;
    ngx_camera_api_session_entry_t  *set;

    set = ngx_camera_api_session_set(key)->entries;

    for (i = 0; i < NGX_CAMERA_API_SESSION_WAYS; i++) {

        if (set[i].epoch
            && ngx_memcmp(set[i].session.key, key,
                          NGX_CAMERA_API_SESSION_KEY) == 0)
        {
            return &set[i];
        }
    }

    return NULL;
}


/* its own entry, a free one, or the one that was asked for longest ago */

static ngx_camera_api_session_entry_t *
ngx_camera_api_session_place(const u_char *key)
{
    ngx_uint_t                       i;
    ngx_camera_api_session_entry_t  *set, *best;

    best = ngx_camera_api_session_own(key);

    if (best) {
        return best;
    }

    set = ngx_camera_api_session_set(key)->entries;
    best = set;

    for (i = 1; i < NGX_CAMERA_API_SESSION_WAYS && best->epoch; i++) {

        if (set[i].epoch == 0
            || ngx_camera_api_session_age(&set[i])
               > ngx_camera_api_session_age(best))
        {
            best = &set[i];
        }
    }

    return best;
}


/* keys are random, so any of their bytes will do */

static ngx_camera_api_session_set_t *
ngx_camera_api_session_set(const u_char *key)
{
    return &ngx_camera_api_session_table->sets
               [((ngx_uint_t) key[0] << 8 | key[1])
                % NGX_CAMERA_API_SESSION_SETS];
}


/* both only grow, so their sum changes when one of them does */

static ngx_atomic_uint_t
ngx_camera_api_session_sum(const u_char *key)
{
    return ngx_camera_api_session_table->epoch
           + ngx_camera_api_session_set(key)->epoch;
}


/* another worker's clock may be a little ahead */

static ngx_msec_t
ngx_camera_api_session_age(const ngx_camera_api_session_entry_t *entry)
{
    ngx_msec_int_t  age;

    age = (ngx_msec_int_t) (ngx_current_msec - entry->asked);

    return age > 0 ? (ngx_msec_t) age : 0;
}
