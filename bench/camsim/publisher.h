/*
 * Copyright (C) The nginx camera platform authors
 */

/* A publisher, as its connection and its media see it. */

#ifndef CAMSIM_PUBLISHER_H
#define CAMSIM_PUBLISHER_H

#include "rtmp.h"


typedef enum {
    SIM_IDLE = 0,
    SIM_HANDSHAKE,
    SIM_CONNECT,
    SIM_CREATE,
    SIM_PUBLISH,
    SIM_LIVE
} sim_state_e;


typedef struct {
    unsigned        number;
    sim_state_e     state;
    sim_url_t       url;
    char           *app;
    char           *name;
    sim_conn_t      conn;
    sim_rtmp_in_t   in;
    sim_timer_t     timer;          /* next start, or next tag */
    int64_t         connect_usec;
    int64_t         live_usec;
    uint32_t        stream;
    size_t          tag;
    uint32_t        passes;         /* through the file */
    unsigned        storm:1;        /* reconnects because of the storm */
    unsigned        audio:1;        /* its configuration was sent */
} sim_publisher_t;


/* a timer's handler: sends every tag whose time has come, sets the timer for
   the next one */
void sim_media_send(void *data);


#endif /* CAMSIM_PUBLISHER_H */
