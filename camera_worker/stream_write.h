/*
 * Copyright (C) The nginx camera platform authors
 */

/* The half of a stream that writes: frames in, parts and segments out. */

#ifndef CW_STREAM_WRITE_H
#define CW_STREAM_WRITE_H

#include "stream.h"


void cw_stream_write(cw_stream_t *s, const cam_frame_t *frame,
    const uint8_t *data);

/* writes the held frames and closes the segment; the muxer stays open */
void cw_stream_finish(cw_stream_t *s);

/* a new init for these tracks (a bit each), after a discontinuity; on failure
   nothing is written until the next key frame tries again */
void cw_stream_open_mux(cw_stream_t *s, int tracks);
void cw_stream_close_mux(cw_stream_t *s);


/* for a process that comes after us: the frame held is written */
void cw_stream_note_written(cw_stream_t *s, int track);

/* and what goes with the part that is whole */
const cw_resume_t *cw_stream_note(cw_stream_t *s);


#endif /* CW_STREAM_WRITE_H */
