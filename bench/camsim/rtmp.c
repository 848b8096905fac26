/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * RTMP chunks and AMF0 (Adobe's specifications of 2012 and 2007).  Every
 * message of ours has a full header; of the server's headers all four forms
 * are read.
 */

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "rtmp.h"

#define SIM_RTMP_EXTENDED  0xffffff

#define SIM_AMF_NUMBER     0
#define SIM_AMF_BOOLEAN    1
#define SIM_AMF_STRING     2
#define SIM_AMF_OBJECT     3
#define SIM_AMF_NULL       5
#define SIM_AMF_UNDEFINED  6
#define SIM_AMF_ECMA_ARRAY 8
#define SIM_AMF_END        9


typedef struct {
    const uint8_t       *p;
    const uint8_t       *end;
} sim_amf_t;


static int sim_rtmp_read_header(sim_rtmp_in_t *in, const uint8_t *p,
    size_t size, sim_rtmp_stream_t **stream, size_t *used);
static int sim_amf_read_string(sim_amf_t *amf, char *text, size_t cap);
static int sim_amf_read_number(sim_amf_t *amf, double *number);
static int sim_amf_read_value(sim_amf_t *amf, sim_rtmp_command_t *command);
static int sim_amf_read_object(sim_amf_t *amf, sim_rtmp_command_t *command);


void
sim_rtmp_write(sim_buf_t *out, const sim_rtmp_header_t *h, uint32_t chunk,
    const uint8_t *first, size_t first_size, const uint8_t *rest,
    size_t rest_size)
{
    size_t    size, n, part;
    uint8_t   header[16];
    uint32_t  msec, extended;

    size = first_size + rest_size;
    msec = h->msec < SIM_RTMP_EXTENDED ? h->msec : SIM_RTMP_EXTENDED;
    extended = htobe32(h->msec);

    header[0] = h->csid;
    header[1] = msec >> 16;
    header[2] = msec >> 8;
    header[3] = msec;
    header[4] = size >> 16;
    header[5] = size >> 8;
    header[6] = size;
    header[7] = h->type;
    memcpy(header + 8, &(uint32_t) { htole32(h->stream) }, 4);
    memcpy(header + 12, &extended, 4);

    sim_buf_add(out, header, msec == SIM_RTMP_EXTENDED ? 16 : 12);

    for (n = 0; size; size -= n) {

        if (n) {
            header[0] = 0xc0 | h->csid;
            sim_buf_add(out, header, 1);

            if (msec == SIM_RTMP_EXTENDED) {
                sim_buf_add(out, &extended, 4);
            }
        }

        n = size < chunk ? size : chunk;
        part = first_size < n ? first_size : n;

        sim_buf_add(out, first, part);
        sim_buf_add(out, rest, n - part);

        first += part;
        first_size -= part;
        rest += n - part;
    }
}


void
sim_rtmp_in_reset(sim_rtmp_in_t *in)
{
    size_t  i;

    in->chunk = 128;

    for (i = 0; i < SIM_RTMP_STREAMS; i++) {
        in->streams[i].body.size = 0;
        in->streams[i].length = 0;
        in->streams[i].whole = 0;
    }
}


int
sim_rtmp_read(sim_rtmp_in_t *in, sim_buf_t *buf, uint8_t *type,
    sim_buf_t **body)
{
    int                 rc;
    size_t              used, n;
    sim_rtmp_stream_t  *stream;

    rc = sim_rtmp_read_header(in, (uint8_t *) buf->data, buf->size, &stream,
                              &used);
    if (rc < 0) {
        return rc;
    }

    n = stream->length - stream->body.size;

    if (n > in->chunk) {
        n = in->chunk;
    }

    if (used + n > buf->size) {
        return -1;
    }

    sim_buf_add(&stream->body, buf->data + used, n);
    sim_buf_take(buf, used + n);

    if (stream->body.size < stream->length) {
        return 0;
    }

    stream->whole = 1;
    *type = stream->type;
    *body = &stream->body;

    return 1;
}


/* changes the stream only when the chunk is whole: it is read again if not */

static int
sim_rtmp_read_header(sim_rtmp_in_t *in, const uint8_t *p, size_t size,
    sim_rtmp_stream_t **stream, size_t *used)
{
    size_t              need, n;
    uint32_t            csid, msec;
    sim_rtmp_stream_t   s;

    static const uint8_t  sizes[4] = { 11, 7, 3, 0 };

    if (size == 0) {
        return -1;
    }

    csid = p[0] & 0x3f;

    if (csid < 2 || csid >= SIM_RTMP_STREAMS) {
        return -2;
    }

    *stream = &in->streams[csid];
    s = **stream;
    need = 1 + sizes[p[0] >> 6];

    if (size < need) {
        return -1;
    }

    if (need > 1) {
        msec = p[1] << 16 | p[2] << 8 | p[3];
        s.extended = msec == SIM_RTMP_EXTENDED;
    }

    if (need > 4) {
        s.length = p[4] << 16 | p[5] << 8 | p[6];
        s.type = p[7];
    }

    *used = need + (s.extended ? 4 : 0);

    if (s.length > SIM_RTMP_MESSAGE_MAX) {
        return -2;
    }

    if (s.whole) {
        s.whole = 0;
        s.body.size = 0;
    }

    n = s.length - s.body.size;

    if (size < *used + (n < in->chunk ? n : in->chunk)) {
        return -1;
    }

    **stream = s;

    return 0;
}


void
sim_amf_string(sim_buf_t *buf, const char *text)
{
    uint8_t   type;
    uint16_t  len;

    type = SIM_AMF_STRING;
    len = htobe16(strlen(text));

    sim_buf_add(buf, &type, 1);
    sim_buf_add(buf, &len, 2);
    sim_buf_add(buf, text, strlen(text));
}


void
sim_amf_number(sim_buf_t *buf, double number)
{
    uint8_t   type;
    uint64_t  bits;

    type = SIM_AMF_NUMBER;
    memcpy(&bits, &number, 8);
    bits = htobe64(bits);

    sim_buf_add(buf, &type, 1);
    sim_buf_add(buf, &bits, 8);
}


void
sim_amf_null(sim_buf_t *buf)
{
    uint8_t  type;

    type = SIM_AMF_NULL;
    sim_buf_add(buf, &type, 1);
}


void
sim_amf_object(sim_buf_t *buf, const char *const *pairs)
{
    uint8_t   type;
    uint16_t  len;

    type = SIM_AMF_OBJECT;
    sim_buf_add(buf, &type, 1);

    for ( /* void */ ; *pairs; pairs += 2) {
        len = htobe16(strlen(pairs[0]));
        sim_buf_add(buf, &len, 2);
        sim_buf_add(buf, pairs[0], strlen(pairs[0]));
        sim_amf_string(buf, pairs[1]);
    }

    sim_buf_add(buf, "\0\0\11", 3);
}


int
sim_rtmp_command_parse(sim_rtmp_command_t *command, const sim_buf_t *body)
{
    sim_amf_t  amf;

    memset(command, 0, sizeof(sim_rtmp_command_t));
    amf.p = (uint8_t *) body->data;
    amf.end = amf.p + body->size;

    if (body->size == 0 || *amf.p++ != SIM_AMF_STRING
        || sim_amf_read_string(&amf, command->name, sizeof(command->name)) != 0
        || amf.p == amf.end || *amf.p++ != SIM_AMF_NUMBER
        || sim_amf_read_number(&amf, &command->transaction) != 0)
    {
        return -1;
    }

    while (amf.p < amf.end) {

        if (sim_amf_read_value(&amf, command) != 0) {
            return -1;
        }
    }

    return 0;
}


static int
sim_amf_read_string(sim_amf_t *amf, char *text, size_t cap)
{
    size_t  len;

    if (amf->end - amf->p < 2) {
        return -1;
    }

    len = amf->p[0] << 8 | amf->p[1];
    amf->p += 2;

    if ((size_t) (amf->end - amf->p) < len) {
        return -1;
    }

    if (text) {
        cap = len < cap ? len : cap - 1;
        memcpy(text, amf->p, cap);
        text[cap] = '\0';
    }

    amf->p += len;

    return 0;
}


static int
sim_amf_read_number(sim_amf_t *amf, double *number)
{
    uint64_t  bits;

    if (amf->end - amf->p < 8) {
        return -1;
    }

    memcpy(&bits, amf->p, 8);
    bits = be64toh(bits);
    memcpy(number, &bits, 8);
    amf->p += 8;

    return 0;
}


static int
sim_amf_read_value(sim_amf_t *amf, sim_rtmp_command_t *command)
{
    switch (*amf->p++) {

    case SIM_AMF_NUMBER:
        return sim_amf_read_number(amf, &command->number);

    case SIM_AMF_BOOLEAN:
        amf->p++;
        return 0;

    case SIM_AMF_STRING:
        return sim_amf_read_string(amf, NULL, 0);

    case SIM_AMF_NULL:
    case SIM_AMF_UNDEFINED:
        return 0;

    case SIM_AMF_ECMA_ARRAY:
        amf->p += 4;
        return sim_amf_read_object(amf, command);

    case SIM_AMF_OBJECT:
        return sim_amf_read_object(amf, command);
    }

    return -1;
}


static int
sim_amf_read_object(sim_amf_t *amf, sim_rtmp_command_t *command)
{
    char     name[32], *text;
    size_t   cap;
    double   number;

    for (;;) {

        if (sim_amf_read_string(amf, name, sizeof(name)) != 0
            || amf->p >= amf->end)
        {
            return -1;
        }

        if (*amf->p == SIM_AMF_END) {
            amf->p++;
            return 0;
        }

        text = NULL;
        cap = 0;

        if (strcmp(name, "level") == 0) {
            text = command->level;
            cap = sizeof(command->level);

        } else if (strcmp(name, "code") == 0) {
            text = command->code;
            cap = sizeof(command->code);

        } else if (strcmp(name, "description") == 0) {
            text = command->description;
            cap = sizeof(command->description);
        }

        if (text && *amf->p == SIM_AMF_STRING) {
            amf->p++;

            if (sim_amf_read_string(amf, text, cap) != 0) {
                return -1;
            }

            continue;
        }

        number = command->number;

        if (sim_amf_read_value(amf, command) != 0 || amf->p > amf->end) {
            return -1;
        }

        command->number = number;       /* only bare numbers count */
    }
}
