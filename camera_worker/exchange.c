/*
 * Copyright (C) The nginx camera platform authors
 */

/* The state is one word: each side stores it when what it is about is whole. */

#include <limits.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "exchange.h"


static void cw_exchange_set(cw_exchange_t *x, cw_exchange_state_e state);


cw_exchange_t *
cw_exchange_create(void)
{
    void  *p;

    p = mmap(NULL, sizeof(cw_exchange_t), PROT_READ|PROT_WRITE,
             MAP_SHARED|MAP_ANONYMOUS|MAP_NORESERVE, -1, 0);

    return p == MAP_FAILED ? NULL : p;
}


cw_exchange_state_e
cw_exchange_state(const cw_exchange_t *x)
{
    return __atomic_load_n(&x->state, __ATOMIC_ACQUIRE);
}


void
cw_exchange_offer(cw_exchange_t *x)
{
    cw_exchange_set(x, CW_EXCHANGE_READY);
}


void
cw_exchange_begin(cw_exchange_t *x)
{
    cw_exchange_set(x, CW_EXCHANGE_WORKING);
}


void
cw_exchange_answer(cw_exchange_t *x, cw_exchange_result_e result)
{
    x->result = result;
    cw_exchange_set(x, CW_EXCHANGE_DONE);
}


void
cw_exchange_take(cw_exchange_t *x)
{
    cw_exchange_set(x, CW_EXCHANGE_IDLE);
}


static void
cw_exchange_set(cw_exchange_t *x, cw_exchange_state_e state)
{
    __atomic_store_n(&x->state, state, __ATOMIC_RELEASE);
    (void) syscall(SYS_futex, &x->state, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}


void
cw_exchange_wait(cw_exchange_t *x, cw_exchange_state_e state, unsigned msec)
{
    struct timespec  ts;

    ts.tv_sec = msec / 1000;
    ts.tv_nsec = msec % 1000 * 1000000;

    (void) syscall(SYS_futex, &x->state, FUTEX_WAIT, state, &ts, NULL, 0);
}
