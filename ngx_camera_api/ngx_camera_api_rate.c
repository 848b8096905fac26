/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Rates as the configuration gives them: "6000r/m" is a number of requests in
 * a second, a minute or an hour.
 */

#include "ngx_camera_api.h"


static ngx_int_t ngx_camera_api_rate_parse(const ngx_str_t *text,
    ngx_camera_api_rate_t *rate);


char *
ngx_camera_api_rate_set(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t              *value;
    ngx_camera_api_rate_t  *rate;

    rate = (ngx_camera_api_rate_t *) ((u_char *) conf + cmd->offset);

    if (rate->requests) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_camera_api_rate_parse(&value[1], rate) != NGX_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid rate \"%V\", it is a number of requests "
                           "and \"r/s\", \"r/m\" or \"r/h\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_camera_api_rate_parse(const ngx_str_t *text, ngx_camera_api_rate_t *rate)
{
    ngx_int_t  n;

    if (text->len < 4 || ngx_strncmp(text->data + text->len - 3, "r/", 2) != 0)
    {
        return NGX_ERROR;
    }

    switch (text->data[text->len - 1]) {

    case 's':
        rate->seconds = 1;
        break;

    case 'm':
        rate->seconds = 60;
        break;

    case 'h':
        rate->seconds = 3600;
        break;

    default:
        return NGX_ERROR;
    }

    n = ngx_atoi(text->data, text->len - 3);

    if (n < 1 || n > 1000000000) {
        return NGX_ERROR;
    }

    rate->requests = n;

    return NGX_OK;
}


void
ngx_camera_api_rate_init(ngx_camera_api_rate_t *rate, ngx_uint_t requests,
    time_t seconds)
{
    if (rate->requests == 0) {
        rate->requests = requests;
        rate->seconds = seconds;
    }
}
