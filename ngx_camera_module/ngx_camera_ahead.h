/*
 * Copyright (C) The nginx camera platform authors
 */

#ifndef NGX_CAMERA_AHEAD_H
#define NGX_CAMERA_AHEAD_H

#include <ngx_config.h>
#include <ngx_core.h>


/*
 * Like c->recv(), by way of a buffer that is filled by recv, the connection's
 * own function.  The caller must go on until NGX_AGAIN or be done with the
 * connection: what is left in the buffer is lost when another one reads.
 */
ssize_t ngx_camera_ahead_recv(ngx_connection_t *c, ngx_recv_pt recv,
    u_char *buf, size_t size);


#endif /* NGX_CAMERA_AHEAD_H */
