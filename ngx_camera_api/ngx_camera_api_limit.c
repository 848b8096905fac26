/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The table of limits: sets of eight slots under one lock, which nginx's
 * master takes away from a worker that dies with it.
 *
 * A slot counts requests in fixed windows of time: own are those of this node,
 * others what Redis knows of beyond them.  Redis may be away or empty: then
 * others is what it was, or 0, and own goes on.
 *
 * It counts requests that run, too, in a column for each worker, and their sum
 * over all slots.  A worker that is gone leaves its numbers behind; the next
 * one that starts clears the columns of the dead, so they do not add up.
 *
 * A slot that nobody counted in lately makes room for another id, but never
 * one with requests that run.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <signal.h>

#include "ngx_camera_api_limit.h"

#define NGX_CAMERA_API_LIMIT_SETS     1024
#define NGX_CAMERA_API_LIMIT_WAYS     8
#define NGX_CAMERA_API_LIMIT_SLOTS    (NGX_CAMERA_API_LIMIT_SETS              \
                                       * NGX_CAMERA_API_LIMIT_WAYS)
#define NGX_CAMERA_API_LIMIT_WORKERS  64   /* of all generations */


typedef struct {
    u_char                         id[NGX_CAMERA_API_LIMIT_ID];
    size_t                         len;
    time_t                         window; /* its first second */
    time_t                         end;    /* the first one behind it */
    uint32_t                       own;
    int32_t                        untold; /* of own, to Redis; less than 0:
                                              it was told of what was taken
                                              back since */
    uint32_t                       others;
    uint16_t                       running[NGX_CAMERA_API_LIMIT_WORKERS];
} ngx_camera_api_limit_slot_t;


typedef struct {
    uint32_t                       seed;
    ngx_pid_t                      workers[NGX_CAMERA_API_LIMIT_WORKERS];
    uint32_t                       at_once[NGX_CAMERA_API_LIMIT_WORKERS];
    ngx_camera_api_limit_slot_t    slots[NGX_CAMERA_API_LIMIT_SLOTS];
} ngx_camera_api_limit_table_t;


static ngx_int_t ngx_camera_api_limit_init_zone(ngx_shm_zone_t *zone,
    void *data);
static void ngx_camera_api_limit_clear_column(ngx_uint_t column);
static void ngx_camera_api_limit_take_back(ngx_camera_api_limit_t *limits,
    ngx_uint_t n);
static ngx_int_t ngx_camera_api_limit_add(const ngx_str_t *id,
    const ngx_camera_api_rate_t *rate, ngx_uint_t n,
    ngx_camera_api_limit_state_t *state);
static void ngx_camera_api_limit_remove(const ngx_str_t *id);
static ngx_camera_api_limit_slot_t *ngx_camera_api_limit_slot(
    const ngx_str_t *id);
static ngx_camera_api_limit_slot_t *ngx_camera_api_limit_set(
    const ngx_str_t *id);
static ngx_camera_api_limit_slot_t *ngx_camera_api_limit_spare(
    ngx_camera_api_limit_slot_t *set);
static ngx_uint_t ngx_camera_api_limit_weight(
    const ngx_camera_api_limit_slot_t *slot);
static ngx_uint_t ngx_camera_api_limit_running(
    const ngx_camera_api_limit_slot_t *slot);
static ngx_uint_t ngx_camera_api_limit_left(
    const ngx_camera_api_limit_slot_t *slot,
    const ngx_camera_api_rate_t *rate);
static ngx_camera_api_limit_slot_t *ngx_camera_api_limit_of(
    const ngx_camera_api_limit_delta_t *delta);


static ngx_slab_pool_t               *ngx_camera_api_limit_pool;
static ngx_camera_api_limit_table_t  *ngx_camera_api_limits;
static ngx_int_t                      ngx_camera_api_limit_column = -1;


ngx_int_t
ngx_camera_api_limit_zone(ngx_conf_t *cf, void *tag)
{
    size_t           size;
    ngx_shm_zone_t  *zone;

    static ngx_str_t  name = ngx_string("camera_api_limits");

    size = sizeof(ngx_camera_api_limit_table_t) + 32 * ngx_pagesize;

    zone = ngx_shared_memory_add(cf, &name, size, tag);
    if (zone == NULL) {
        return NGX_ERROR;
    }

    zone->init = ngx_camera_api_limit_init_zone;

    return NGX_OK;
}


static ngx_int_t
ngx_camera_api_limit_init_zone(ngx_shm_zone_t *zone, void *data)
{
    ngx_slab_pool_t               *pool;
    ngx_camera_api_limit_table_t  *table;

    pool = (ngx_slab_pool_t *) zone->shm.addr;
    table = data ? data : pool->data;

    if (table == NULL) {
        table = ngx_slab_calloc(pool, sizeof(ngx_camera_api_limit_table_t));
        if (table == NULL) {
            return NGX_ERROR;
        }

        table->seed = (uint32_t) ngx_random();
        pool->data = table;
    }

    zone->data = table;

    ngx_camera_api_limit_pool = pool;
    ngx_camera_api_limits = table;

    return NGX_OK;
}


/* takes a column, and clears those of workers that are no more */

void
ngx_camera_api_limit_init(ngx_cycle_t *cycle)
{
    ngx_int_t   i;
    ngx_pid_t  *workers;

    ngx_camera_api_limit_column = -1;
    workers = ngx_camera_api_limits->workers;

    ngx_shmtx_lock(&ngx_camera_api_limit_pool->mutex);

    for (i = 0; i < NGX_CAMERA_API_LIMIT_WORKERS; i++) {

        if (workers[i] && (workers[i] == ngx_pid
                           || (kill(workers[i], 0) == -1
                               && ngx_errno == NGX_ESRCH)))
        {
            ngx_camera_api_limit_clear_column(i);
            workers[i] = 0;
        }

        if (workers[i] == 0 && ngx_camera_api_limit_column == -1) {
            ngx_camera_api_limit_column = i;
            workers[i] = ngx_pid;
        }
    }

    ngx_shmtx_unlock(&ngx_camera_api_limit_pool->mutex);

    if (ngx_camera_api_limit_column == -1) {
        ngx_log_error(NGX_LOG_WARN, cycle->log, 0,
                      "too many workers of all generations, this one does "
                      "not limit requests that run at once");
    }
}


static void
ngx_camera_api_limit_clear_column(ngx_uint_t column)
{
    ngx_uint_t  i;

    ngx_camera_api_limits->at_once[column] = 0;

    for (i = 0; i < NGX_CAMERA_API_LIMIT_SLOTS; i++) {
        ngx_camera_api_limits->slots[i].running[column] = 0;
    }
}


ngx_int_t
ngx_camera_api_limit_count(const ngx_str_t *id,
    const ngx_camera_api_rate_t *rate, ngx_uint_t n,
    ngx_camera_api_limit_state_t *state)
{
    ngx_int_t  rc;

    ngx_shmtx_lock(&ngx_camera_api_limit_pool->mutex);

    rc = ngx_camera_api_limit_add(id, rate, n, state);

    ngx_shmtx_unlock(&ngx_camera_api_limit_pool->mutex);

    return rc;
}


ngx_int_t
ngx_camera_api_limit_count_all(ngx_camera_api_limit_t *limits, ngx_uint_t n)
{
    ngx_int_t   rc;
    ngx_str_t   id;
    ngx_uint_t  i, add;

    rc = NGX_OK;

    ngx_shmtx_lock(&ngx_camera_api_limit_pool->mutex);

    for (i = 0; i < n; i++) {
        id.data = limits[i].id;
        id.len = limits[i].len;

        /* behind one that refuses, the others are only looked at */

        add = rc == NGX_OK;

        if (ngx_camera_api_limit_add(&id, &limits[i].rate, add,
                                     &limits[i].state)
            != NGX_OK
            && rc == NGX_OK)
        {
            rc = NGX_BUSY;
            ngx_camera_api_limit_take_back(limits, i);
        }
    }

    ngx_shmtx_unlock(&ngx_camera_api_limit_pool->mutex);

    return rc;
}


static void
ngx_camera_api_limit_take_back(ngx_camera_api_limit_t *limits, ngx_uint_t n)
{
    ngx_str_t   id;
    ngx_uint_t  i;

    for (i = 0; i < n; i++) {
        id.data = limits[i].id;
        id.len = limits[i].len;

        ngx_camera_api_limit_remove(&id);
        limits[i].state.left++;
    }
}


static ngx_int_t
ngx_camera_api_limit_add(const ngx_str_t *id,
    const ngx_camera_api_rate_t *rate, ngx_uint_t n,
    ngx_camera_api_limit_state_t *state)
{
    time_t                        window;
    ngx_camera_api_limit_slot_t  *slot;

    window = ngx_time() - ngx_time() % rate->seconds;
    slot = ngx_camera_api_limit_slot(id);

    if (slot && slot->window != window) {
        slot->window = window;
        slot->end = window + rate->seconds;
        slot->own = 0;
        slot->untold = 0;
        slot->others = 0;
    }

    state->quota = rate->requests;
    state->left = slot ? ngx_camera_api_limit_left(slot, rate) : 0;
    state->window = rate->seconds;
    state->reset = window + rate->seconds - ngx_time();

    if (state->left < ngx_max(n, 1)) {
        return NGX_BUSY;
    }

    slot->own += n;
    slot->untold += n;
    state->left -= n;

    return NGX_OK;
}


static ngx_uint_t
ngx_camera_api_limit_left(const ngx_camera_api_limit_slot_t *slot,
    const ngx_camera_api_rate_t *rate)
{
    ngx_uint_t  used;

    used = (ngx_uint_t) slot->own + slot->others;

    return used < rate->requests ? rate->requests - used : 0;
}


void
ngx_camera_api_limit_refund(const ngx_str_t *id)
{
    ngx_shmtx_lock(&ngx_camera_api_limit_pool->mutex);

    ngx_camera_api_limit_remove(id);

    ngx_shmtx_unlock(&ngx_camera_api_limit_pool->mutex);
}


static void
ngx_camera_api_limit_remove(const ngx_str_t *id)
{
    ngx_camera_api_limit_slot_t  *slot;

    slot = ngx_camera_api_limit_slot(id);

    if (slot && slot->own) {
        slot->own--;
        slot->untold--;
    }
}


ngx_int_t
ngx_camera_api_limit_enter(const ngx_str_t *id, ngx_uint_t max)
{
    ngx_int_t                     rc;
    ngx_camera_api_limit_slot_t  *slot;

    if (ngx_camera_api_limit_column == -1) {
        return NGX_ERROR;
    }

    ngx_shmtx_lock(&ngx_camera_api_limit_pool->mutex);

    slot = ngx_camera_api_limit_slot(id);

    if (slot == NULL || ngx_camera_api_limit_running(slot) >= max) {
        rc = NGX_BUSY;

    } else {
        slot->running[ngx_camera_api_limit_column]++;
        ngx_camera_api_limits->at_once[ngx_camera_api_limit_column]++;
        rc = slot - ngx_camera_api_limits->slots;
    }

    ngx_shmtx_unlock(&ngx_camera_api_limit_pool->mutex);

    return rc;
}


void
ngx_camera_api_limit_leave(ngx_int_t n)
{
    ngx_shmtx_lock(&ngx_camera_api_limit_pool->mutex);

    ngx_camera_api_limits->slots[n].running[ngx_camera_api_limit_column]--;
    ngx_camera_api_limits->at_once[ngx_camera_api_limit_column]--;

    ngx_shmtx_unlock(&ngx_camera_api_limit_pool->mutex);
}


ngx_uint_t
ngx_camera_api_limit_at_once(void)
{
    ngx_uint_t  i, n;

    if (ngx_camera_api_limits == NULL) {
        return 0;                       /* a node without an API */
    }

    ngx_shmtx_lock(&ngx_camera_api_limit_pool->mutex);

    for (i = 0, n = 0; i < NGX_CAMERA_API_LIMIT_WORKERS; i++) {
        n += ngx_camera_api_limits->at_once[i];
    }

    ngx_shmtx_unlock(&ngx_camera_api_limit_pool->mutex);

    return n;
}


ngx_int_t
ngx_camera_api_limit_take(ngx_uint_t *from,
    ngx_camera_api_limit_delta_t *delta)
{
    ngx_int_t                     rc;
    ngx_camera_api_limit_slot_t  *slot;

    rc = NGX_DONE;

    ngx_shmtx_lock(&ngx_camera_api_limit_pool->mutex);

    for ( /* void */ ; *from < NGX_CAMERA_API_LIMIT_SLOTS; (*from)++) {
        slot = &ngx_camera_api_limits->slots[*from];

        if (slot->untold == 0) {
            continue;
        }

        ngx_memcpy(delta->id, slot->id, slot->len);
        delta->len = slot->len;
        delta->window = slot->window;
        delta->slot = (*from)++;
        delta->n = slot->untold;

        slot->untold = 0;
        rc = NGX_OK;

        break;
    }

    ngx_shmtx_unlock(&ngx_camera_api_limit_pool->mutex);

    return rc;
}


/* what this node has on its way is in the sum or not: own counts it anyway */

void
ngx_camera_api_limit_told(const ngx_camera_api_limit_delta_t *delta,
    uint32_t sum)
{
    uint32_t                      told;
    ngx_camera_api_limit_slot_t  *slot;

    ngx_shmtx_lock(&ngx_camera_api_limit_pool->mutex);

    slot = ngx_camera_api_limit_of(delta);

    if (slot) {
        told = slot->own - (uint32_t) slot->untold;
        slot->others = sum > told ? sum - told : 0;
    }

    ngx_shmtx_unlock(&ngx_camera_api_limit_pool->mutex);
}


void
ngx_camera_api_limit_put_back(const ngx_camera_api_limit_delta_t *delta)
{
    ngx_camera_api_limit_slot_t  *slot;

    ngx_shmtx_lock(&ngx_camera_api_limit_pool->mutex);

    slot = ngx_camera_api_limit_of(delta);

    if (slot) {
        slot->untold += delta->n;
    }

    ngx_shmtx_unlock(&ngx_camera_api_limit_pool->mutex);
}


/* the slot, while it is still about the same */

static ngx_camera_api_limit_slot_t *
ngx_camera_api_limit_of(const ngx_camera_api_limit_delta_t *delta)
{
    ngx_camera_api_limit_slot_t  *slot;

    slot = &ngx_camera_api_limits->slots[delta->slot];

    if (slot->window == delta->window && slot->len == delta->len
        && ngx_memcmp(slot->id, delta->id, delta->len) == 0)
    {
        return slot;
    }

    return NULL;
}


/* its own, or a spare one made its own; NULL: all are in use */

static ngx_camera_api_limit_slot_t *
ngx_camera_api_limit_slot(const ngx_str_t *id)
{
    ngx_uint_t                    i;
    ngx_camera_api_limit_slot_t  *set, *slot;

    set = ngx_camera_api_limit_set(id);

    for (i = 0; i < NGX_CAMERA_API_LIMIT_WAYS; i++) {

        if (set[i].len == id->len
            && ngx_memcmp(set[i].id, id->data, id->len) == 0)
        {
            return &set[i];
        }
    }

    slot = ngx_camera_api_limit_spare(set);

    if (slot) {
        ngx_memzero(slot, sizeof(ngx_camera_api_limit_slot_t));

        slot->len = ngx_min(id->len, NGX_CAMERA_API_LIMIT_ID);
        ngx_memcpy(slot->id, id->data, slot->len);
    }

    return slot;
}


/* a seed that nobody knows, or ids could be chosen that all share a set */

static ngx_camera_api_limit_slot_t *
ngx_camera_api_limit_set(const ngx_str_t *id)
{
    u_char    text[sizeof(uint32_t) + NGX_CAMERA_API_LIMIT_ID], *p;
    uint32_t  hash;

    p = ngx_cpymem(text, &ngx_camera_api_limits->seed, sizeof(uint32_t));
    p = ngx_cpymem(p, id->data, ngx_min(id->len, NGX_CAMERA_API_LIMIT_ID));

    hash = ngx_murmur_hash2(text, p - text);

    return &ngx_camera_api_limits->slots[hash % NGX_CAMERA_API_LIMIT_SETS
                                         * NGX_CAMERA_API_LIMIT_WAYS];
}


/*
 * One whose window is over, or the one that counted least: whoever comes from
 * many addresses counts once for each, and makes nobody else be forgotten.
 */

static ngx_camera_api_limit_slot_t *
ngx_camera_api_limit_spare(ngx_camera_api_limit_slot_t *set)
{
    ngx_uint_t                    i;
    ngx_camera_api_limit_slot_t  *slot, *best;

    best = NULL;

    for (i = 0; i < NGX_CAMERA_API_LIMIT_WAYS; i++) {
        slot = &set[i];

        if (slot->len == 0) {
            return slot;
        }

        if (ngx_camera_api_limit_running(slot) == 0
            && (best == NULL
                || ngx_camera_api_limit_weight(slot)
                   < ngx_camera_api_limit_weight(best)))
        {
            best = slot;
        }
    }

    return best;
}


static ngx_uint_t
ngx_camera_api_limit_weight(const ngx_camera_api_limit_slot_t *slot)
{
    return slot->end > ngx_time() ? (ngx_uint_t) slot->own + 1 : 0;
}


static ngx_uint_t
ngx_camera_api_limit_running(const ngx_camera_api_limit_slot_t *slot)
{
    ngx_uint_t  i, n;

    for (i = 0, n = 0; i < NGX_CAMERA_API_LIMIT_WORKERS; i++) {
        n += slot->running[i];
    }

    return n;
}


const char *
ngx_camera_api_policy_name(ngx_camera_api_policy_e policy)
{
    static const char  *names[NGX_CAMERA_API_POLICIES] = {
        [NGX_CAMERA_API_POLICY_TOKEN] = "token",
        [NGX_CAMERA_API_POLICY_USER] = "user",
        [NGX_CAMERA_API_POLICY_ADDRESS] = "address",
        [NGX_CAMERA_API_POLICY_TENANT] = "tenant",
        [NGX_CAMERA_API_POLICY_CONCURRENT] = "concurrent",
        [NGX_CAMERA_API_POLICY_LOGIN] = "login",
        [NGX_CAMERA_API_POLICY_REGISTER] = "register"
    };

    return names[policy];
}
