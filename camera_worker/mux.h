/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * One fragmented MP4 of one camera, by libavformat: the init segment when it
 * is opened, then one fragment (moof + mdat) per flush.  All muxers of a
 * process share one output buffer, which the caller empties after each call
 * that fills it; a muxer costs about 150 kB.
 */

#ifndef CW_MUX_H
#define CW_MUX_H

#include <stddef.h>
#include <stdint.h>

#include "codec_headers.h"
#include "ring.h"


/* a track as the camera announced it; config of size 0: there is none */
typedef struct {
    uint8_t            *config;          /* avcC or AudioSpecificConfig */
    uint32_t            config_size;
    cam_h264_config_t   h264;
    cam_aac_config_t    aac;
} cw_mux_track_t;


typedef struct {
    int64_t             dts_usec;
    int64_t             cts_usec;
    int64_t             duration_usec;
    int                 key;
    const uint8_t      *data;
    uint32_t            size;
} cw_mux_frame_t;


typedef struct cw_mux_s  cw_mux_t;


/* tracks[] NULL: not in this file; the init segment is in the output */
cw_mux_t *cw_mux_open(const cw_mux_track_t *tracks[CAM_TRACKS]);

/* 0, or -1: the frame was refused */
int cw_mux_write(cw_mux_t *mux, int track, const cw_mux_frame_t *frame);

/* the fragment is in the output; 0/-1 */
int cw_mux_flush(cw_mux_t *mux);

void cw_mux_close(cw_mux_t *mux);

/* what was written since the last cw_mux_output_clear() */
const uint8_t *cw_mux_output(size_t *size);
void cw_mux_output_clear(void);


#endif /* CW_MUX_H */
