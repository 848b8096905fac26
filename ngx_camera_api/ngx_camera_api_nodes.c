/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * /nodes: the servers that take in cameras.  The first worker of each says
 * every ten seconds that it is there, what it is called and where it is.
 */

#include "ngx_camera.h"
#include "ngx_camera_api_core.h"

#define NGX_CAMERA_API_NODES_BEAT_MSEC   10000
#define NGX_CAMERA_API_NODES_AGAIN_MSEC  500     /* not connected yet */
#define NGX_CAMERA_API_NODES_WAIT_MSEC   5000


static ngx_int_t ngx_camera_api_nodes_init(ngx_cycle_t *cycle);
static void ngx_camera_api_nodes_beat(ngx_event_t *ev);
static ngx_camera_pg_query_t *ngx_camera_api_nodes_say(void);
static void ngx_camera_api_nodes_param(ngx_camera_pg_param_t *param,
    const u_char *text);
static void ngx_camera_api_nodes_said(void *data, ngx_camera_pg_rc_e rc,
    const PGresult *res, const ngx_camera_pg_error_t *error);


#define NGX_CAMERA_API_NODE                                                   \
    "id, host, rtmps_port, https_base, region, capacity, active_streams, "    \
    "health, started_at, heartbeat_at"


static const ngx_camera_api_column_t  ngx_camera_api_nodes_columns[] = {
    { "id", NGX_CAMERA_API_TEXT, NULL },
    { "host", NGX_CAMERA_API_TEXT, NULL },
    { "rtmpsPort", NGX_CAMERA_API_INT, NULL },
    { "httpsBase", NGX_CAMERA_API_TEXT, NULL },
    { "region", NGX_CAMERA_API_TEXT, NULL },
    { "capacity", NGX_CAMERA_API_INT, NULL },
    { "activeStreams", NGX_CAMERA_API_INT, NULL },
    { "health", NGX_CAMERA_API_TEXT, NULL },
    { "startedAt", NGX_CAMERA_API_TIME, NULL },
    { "lastHeartbeat", NGX_CAMERA_API_TIME, NULL },
    NGX_CAMERA_API_COLUMNS_END
};


static ngx_camera_api_statement_t  ngx_camera_api_nodes_list = {
    "api_nodes_list",
    "SELECT " NGX_CAMERA_API_NODE " FROM api_nodes ORDER BY id LIMIT 200",
    0, NGX_CAMERA_API_SLOW|NGX_CAMERA_API_READS, 0
};

static ngx_camera_api_statement_t  ngx_camera_api_nodes_get = {
    "api_nodes_get",
    "SELECT " NGX_CAMERA_API_NODE " FROM api_nodes WHERE id = $1",
    1, NGX_CAMERA_API_READS, 0
};

static ngx_camera_api_statement_t  ngx_camera_api_nodes_heartbeat = {
    "api_node_heartbeat",
    "SELECT api_node_heartbeat($1, $2, $3, $4, $5, to_timestamp($6::bigint))",
    6, 0, 0
};

static ngx_camera_api_statement_t  *const ngx_camera_api_nodes_statements[] = {
    &ngx_camera_api_nodes_list,
    &ngx_camera_api_nodes_get,
    &ngx_camera_api_nodes_heartbeat,
    NULL
};


static const ngx_camera_api_route_t  ngx_camera_api_nodes_routes[] = {

    {
        .method = NGX_HTTP_GET,
        .path = "/nodes",
        .needs = CAM_PERMIT_ANALYTICS_READ,
        .flags = NGX_CAMERA_API_LIST,
        .statement = &ngx_camera_api_nodes_list,
        .columns = ngx_camera_api_nodes_columns
    },

    {
        .method = NGX_HTTP_GET,
        .path = "/nodes/:id",
        .needs = CAM_PERMIT_ANALYTICS_READ,
        .ids = NGX_CAMERA_API_ID_TEXT,
        .statement = &ngx_camera_api_nodes_get,
        .columns = ngx_camera_api_nodes_columns,
        .missing = NGX_CAMERA_API_NOT_FOUND
    },

    { .path = NULL }
};


const ngx_camera_api_resource_t  ngx_camera_api_nodes = {
    "nodes",
    ngx_camera_api_nodes_routes,
    ngx_camera_api_nodes_statements,
    ngx_camera_api_nodes_init,
    NULL
};


static struct {
    ngx_event_t   beat;
    ngx_cycle_t  *cycle;
    time_t        started;
    ngx_uint_t    waiting;       /* for the answer to the last one */
} ngx_camera_api_node;


static ngx_int_t
ngx_camera_api_nodes_init(ngx_cycle_t *cycle)
{
    if (ngx_worker != 0) {
        return NGX_OK;
    }

    ngx_camera_api_node.cycle = cycle;
    ngx_camera_api_node.started = ngx_time();

    ngx_camera_background_event(&ngx_camera_api_node.beat,
                                ngx_camera_api_nodes_beat, cycle->log);
    ngx_add_timer(&ngx_camera_api_node.beat, NGX_CAMERA_API_NODES_AGAIN_MSEC);

    return NGX_OK;
}


static void
ngx_camera_api_nodes_beat(ngx_event_t *ev)
{
    ngx_uint_t  said;

    if (ngx_exiting) {
        return;
    }

    said = ngx_camera_api_node.waiting || ngx_camera_api_nodes_say() != NULL;

    ngx_add_timer(ev, said ? NGX_CAMERA_API_NODES_BEAT_MSEC
                           : NGX_CAMERA_API_NODES_AGAIN_MSEC);
}


/* parameters are sent before this returns; NULL: nobody takes them now */

static ngx_camera_pg_query_t *
ngx_camera_api_nodes_say(void)
{
    u_char                       capacity[NGX_INT_T_LEN + 1];
    u_char                       started[NGX_TIME_T_LEN + 1];
    ngx_camera_conf_t           *ccf;
    ngx_camera_pg_query_t       *query;
    ngx_camera_pg_param_t        params[6];
    ngx_camera_api_main_conf_t  *amcf;

    ccf = ngx_camera_conf(ngx_camera_api_node.cycle);
    amcf = ngx_camera_api_conf(ngx_camera_api_node.cycle);

    ngx_sprintf(capacity, "%ui%Z", ccf->cameras);
    ngx_sprintf(started, "%T%Z", ngx_camera_api_node.started);

    ngx_camera_api_nodes_param(&params[0], ccf->node.data);
    ngx_camera_api_nodes_param(&params[1], amcf->publish_url.data);
    ngx_camera_api_nodes_param(&params[2], amcf->public_url.data);
    ngx_camera_api_nodes_param(&params[3], ccf->region.data);
    ngx_camera_api_nodes_param(&params[4], capacity);
    ngx_camera_api_nodes_param(&params[5], started);

    query = ngx_camera_api_pg_start(&ngx_camera_api_nodes_heartbeat, params, 6,
                                    NGX_CAMERA_API_NODES_WAIT_MSEC,
                                    ngx_camera_api_nodes_said, NULL);

    ngx_camera_api_node.waiting = query != NULL;

    return query;
}


/* text with its NUL, as all of a configuration has it; NULL: none */

static void
ngx_camera_api_nodes_param(ngx_camera_pg_param_t *param, const u_char *text)
{
    param->data = text ? (const char *) text : "";
    param->len = ngx_strlen(param->data);
    param->binary = 0;
}


/* whatever came of it, the next one is due in time */

static void
ngx_camera_api_nodes_said(void *data, ngx_camera_pg_rc_e rc,
    const PGresult *res, const ngx_camera_pg_error_t *error)
{
    ngx_camera_api_node.waiting = 0;

    if (rc == NGX_CAMERA_PG_REFUSED) {
        ngx_log_error(NGX_LOG_ERR, ngx_camera_api_node.cycle->log, 0,
                      "the heartbeat of this node was refused: SQLSTATE %s",
                      error->sqlstate);
    }
}
