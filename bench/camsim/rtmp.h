/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The client's half of RTMP, as far as a publisher needs it: messages into
 * chunks, chunks into messages, and the AMF0 of five commands.
 */

#ifndef CAMSIM_RTMP_H
#define CAMSIM_RTMP_H

#include "camsim.h"

#define SIM_RTMP_HANDSHAKE    1536
#define SIM_RTMP_STREAMS      64        /* chunk streams of the server */
#define SIM_RTMP_MESSAGE_MAX  65536
#define SIM_RTMP_CHUNK        4096      /* ours */

#define SIM_RTMP_SET_CHUNK    1
#define SIM_RTMP_CONTROL      4
#define SIM_RTMP_COMMAND      20

/* chunk streams of ours */
#define SIM_CSID_PROTOCOL     2
#define SIM_CSID_COMMAND      3
#define SIM_CSID_AUDIO        4
#define SIM_CSID_VIDEO        6


typedef struct {
    uint32_t        csid;
    uint8_t         type;
    uint32_t        stream;
    uint32_t        msec;
} sim_rtmp_header_t;


typedef struct {
    uint32_t        msec;
    uint32_t        length;
    uint8_t         type;
    unsigned        extended:1;
    unsigned        whole:1;        /* the next chunk begins a message */
    sim_buf_t       body;
} sim_rtmp_stream_t;


typedef struct {
    uint32_t            chunk;          /* the server's */
    sim_rtmp_stream_t   streams[SIM_RTMP_STREAMS];
} sim_rtmp_in_t;


/* the fields of a command that a publisher looks at */
typedef struct {
    char            name[32];           /* "_result", "onStatus" ... */
    double          transaction;
    double          number;             /* the last bare number, or 0 */
    char            level[16];
    char            code[64];
    char            description[128];
} sim_rtmp_command_t;


void sim_rtmp_write(sim_buf_t *out, const sim_rtmp_header_t *h,
    uint32_t chunk, const uint8_t *first, size_t first_size,
    const uint8_t *rest, size_t rest_size);

void sim_rtmp_in_reset(sim_rtmp_in_t *in);

/*
 * Takes one chunk off the buffer.  1: a message is whole, *type and *body say
 * which; 0: the chunk was part of one; -1: not enough bytes; -2: nonsense.
 */
int sim_rtmp_read(sim_rtmp_in_t *in, sim_buf_t *buf, uint8_t *type,
    sim_buf_t **body);

int sim_rtmp_command_parse(sim_rtmp_command_t *command, const sim_buf_t *body);

void sim_amf_string(sim_buf_t *buf, const char *text);
void sim_amf_number(sim_buf_t *buf, double number);
void sim_amf_null(sim_buf_t *buf);
void sim_amf_object(sim_buf_t *buf, const char *const *pairs);


#endif /* CAMSIM_RTMP_H */
