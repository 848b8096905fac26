/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The commands of nginx-rtmp that are left standing.  A publisher needs few;
 * those of viewers end the session, and all others are read over, since
 * encoders send what their makers thought of (FCPublish, releaseStream).
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_rtmp.h>

#include "ngx_camera_guard.h"


static ngx_int_t ngx_camera_guard_refuse_command(ngx_rtmp_session_t *s,
    ngx_rtmp_header_t *h, ngx_chain_t *in);
static ngx_int_t ngx_camera_guard_ignore_command(ngx_rtmp_session_t *s,
    ngx_rtmp_header_t *h, ngx_chain_t *in);
static ngx_uint_t ngx_camera_guard_listed(ngx_str_t *list, ngx_str_t *name);


/* what nginx-rtmp's table of commands keeps */

static ngx_str_t  ngx_camera_guard_kept[] = {
    ngx_string("connect"),
    ngx_string("createStream"),
    ngx_string("publish"),
    ngx_string("deleteStream"),
    ngx_string("closeStream"),
    ngx_null_string
};

/* commands of viewers: there is nothing to see here */

static ngx_str_t  ngx_camera_guard_refused[] = {
    ngx_string("play"),
    ngx_string("play2"),
    ngx_string("seek"),
    ngx_string("pause"),
    ngx_string("pauseraw"),
    ngx_null_string
};


void
ngx_camera_guard_init_commands(ngx_rtmp_core_main_conf_t *cmcf)
{
    ngx_uint_t               i;
    ngx_rtmp_amf_handler_t  *command;

    command = cmcf->amf.elts;

    for (i = 0; i < cmcf->amf.nelts; i++) {

        if (ngx_camera_guard_listed(ngx_camera_guard_kept, &command[i].name)) {
            continue;
        }

        command[i].handler =
            ngx_camera_guard_listed(ngx_camera_guard_refused, &command[i].name)
            ? ngx_camera_guard_refuse_command
            : ngx_camera_guard_ignore_command;
    }
}


static ngx_uint_t
ngx_camera_guard_listed(ngx_str_t *list, ngx_str_t *name)
{
    for ( /* void */ ; list->len; list++) {
        if (list->len == name->len
            && ngx_strncmp(list->data, name->data, name->len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


static ngx_int_t
ngx_camera_guard_refuse_command(ngx_rtmp_session_t *s, ngx_rtmp_header_t *h,
    ngx_chain_t *in)
{
    return ngx_camera_guard_refuse(s, "command of a viewer");
}


static ngx_int_t
ngx_camera_guard_ignore_command(ngx_rtmp_session_t *s, ngx_rtmp_header_t *h,
    ngx_chain_t *in)
{
    return NGX_DONE;
}
