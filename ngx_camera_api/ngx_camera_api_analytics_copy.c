/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Copies of the days of cameras in Redis, for other programs:
 *
 *     analytics:camera:{cameraId}:{YYYY-MM-DD}    hash: totalUptime (s),
 *                      avgBitrate (bit/s), peakViewers, recordingSize (bytes);
 *                      kept for 30 days
 *
 * Days are those of UTC.  Written with each sample; nothing here reads them.
 */

#include "ngx_camera.h"
#include "ngx_camera_api_analytics.h"
#include "ngx_camera_redis.h"

#define NGX_CAMERA_API_DAYS_PREFIX   "analytics:camera:"
#define NGX_CAMERA_API_DAYS_NUMBERS  4


static void ngx_camera_api_analytics_copy_row(ngx_camera_redis_t *redis,
    const PGresult *res, int row);


static ngx_camera_redis_script_t  ngx_camera_api_analytics_script = {
    ngx_string("redis.call('HSET', KEYS[1], 'totalUptime', ARGV[1],"
               " 'avgBitrate', ARGV[2], 'peakViewers', ARGV[3],"
               " 'recordingSize', ARGV[4])\n"
               "return redis.call('EXPIRE', KEYS[1], 2592000)\n"),
    ""
};


void
ngx_camera_api_analytics_copy(const PGresult *res)
{
    int                  row;
    ngx_camera_redis_t  *redis;

    redis = ngx_camera_redis_client();

    for (row = 0; redis && row < PQntuples(res); row++) {
        ngx_camera_api_analytics_copy_row(redis, res, row);
    }
}


static void
ngx_camera_api_analytics_copy_row(ngx_camera_redis_t *redis,
    const PGresult *res, int row)
{
    char        camera[CAM_UUID_TEXT + 1];
    u_char      key[128], numbers[NGX_CAMERA_API_DAYS_NUMBERS][NGX_INT64_LEN];
    ngx_str_t   args[1 + NGX_CAMERA_API_DAYS_NUMBERS];
    ngx_uint_t  i;

    cam_uuid_print(camera, (const u_char *) PQgetvalue(res, row, 0));

    args[0].data = key;
    args[0].len = ngx_snprintf(key, sizeof(key),
                               NGX_CAMERA_API_DAYS_PREFIX "%s:%*s", camera,
                               (size_t) PQgetlength(res, row, 1),
                               PQgetvalue(res, row, 1))
                  - key;

    for (i = 0; i < NGX_CAMERA_API_DAYS_NUMBERS; i++) {
        args[1 + i].data = numbers[i];
        args[1 + i].len = ngx_sprintf(numbers[i], "%L",
                                      ngx_camera_api_int(res, row, 2 + i))
                          - numbers[i];
    }

    (void) ngx_camera_redis_script(redis, &ngx_camera_api_analytics_script, 1,
                                   args, 1 + NGX_CAMERA_API_DAYS_NUMBERS, NULL,
                                   NULL);
}
