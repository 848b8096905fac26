/*
 * Copyright (C) The nginx camera platform authors
 */

#ifndef CW_SANDBOX_H
#define CW_SANDBOX_H


/* seconds on a processor for one picture */
#define CW_SANDBOX_CPU_SEC     3

/* what may be mapped beyond that which a process has at its start */
#define CW_SANDBOX_MEMORY      (256u << 20)


/*
 * Gives up, for good, whatever decoding does not need: descriptors but for
 * stderr, the environment, memory without end, and all system calls but a
 * few.  One that is not among them kills the process.  0, or -1: it was said
 * why, and nothing may be decoded.
 */
int cw_sandbox_lock(void);

/* before each picture: so much time from now on, and not more */
int cw_sandbox_limit_time(void);


#endif /* CW_SANDBOX_H */
