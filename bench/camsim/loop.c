/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The event loop: one epoll and one heap of timers.  The clock is read once a
 * turn; what measures reads it itself.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "camsim.h"

#define SIM_EVENTS  256


static void sim_heap_put(size_t i, sim_timer_t *timer);
static void sim_heap_up(size_t i, sim_timer_t *timer);
static void sim_heap_down(size_t i, sim_timer_t *timer);
static int sim_loop_timers(void);


static int            sim_epoll;
static int            sim_stopped;
static int64_t        sim_now;

static sim_timer_t  **sim_heap;         /* from 1 */
static size_t         sim_heap_n;
static size_t         sim_heap_cap;


int64_t
sim_clock_usec(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return (int64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}


int64_t
sim_now_usec(void)
{
    return sim_now;
}


void
sim_loop_init(void)
{
    sim_now = sim_clock_usec();
    sim_epoll = epoll_create1(EPOLL_CLOEXEC);

    if (sim_epoll == -1) {
        perror("camsim: epoll_create1() failed");
        exit(2);
    }
}


void
sim_loop_watch(int op, sim_conn_t *c, uint32_t events)
{
    struct epoll_event  ee;

    ee.events = events;
    ee.data.ptr = c;

    if (epoll_ctl(sim_epoll, op, c->fd, &ee) == -1) {
        perror("camsim: epoll_ctl() failed");
        exit(2);
    }

    c->events = events;
}


void
sim_loop_run(void)
{
    int                 i, n;
    struct epoll_event  events[SIM_EVENTS];

    while (!sim_stopped) {

        n = epoll_wait(sim_epoll, events, SIM_EVENTS, sim_loop_timers());

        if (n == -1 && errno != EINTR) {
            perror("camsim: epoll_wait() failed");
            exit(2);
        }

        sim_now = sim_clock_usec();

        for (i = 0; i < n; i++) {
            sim_conn_event(events[i].data.ptr, events[i].events);
        }
    }
}


void
sim_loop_stop(void)
{
    sim_stopped = 1;
}


/* runs what is due; answers how long epoll may sleep, in ms */

static int
sim_loop_timers(void)
{
    sim_timer_t  *timer;

    sim_now = sim_clock_usec();

    while (sim_heap_n && !sim_stopped) {
        timer = sim_heap[1];

        if (timer->due_usec > sim_now) {
            return (timer->due_usec - sim_now + 999) / 1000;
        }

        sim_timer_clear(timer);
        timer->handler(timer->data);
    }

    return sim_stopped ? 0 : 1000;
}


void
sim_timer_set(sim_timer_t *timer, int64_t due_usec)
{
    sim_timer_clear(timer);

    timer->due_usec = due_usec;

    if (sim_heap_n + 2 > sim_heap_cap) {
        sim_heap_cap = sim_heap_cap ? sim_heap_cap * 2 : 1024;
        sim_heap = realloc(sim_heap, sim_heap_cap * sizeof(sim_timer_t *));

        if (sim_heap == NULL) {
            abort();
        }
    }

    sim_heap_up(++sim_heap_n, timer);
}


void
sim_timer_clear(sim_timer_t *timer)
{
    size_t        i;
    sim_timer_t  *last;

    i = timer->index;

    if (i == 0) {
        return;
    }

    timer->index = 0;
    last = sim_heap[sim_heap_n--];

    if (last == timer) {
        return;
    }

    if (i > 1 && sim_heap[i / 2]->due_usec > last->due_usec) {
        sim_heap_up(i, last);

    } else {
        sim_heap_down(i, last);
    }
}


static void
sim_heap_put(size_t i, sim_timer_t *timer)
{
    sim_heap[i] = timer;
    timer->index = i;
}


static void
sim_heap_up(size_t i, sim_timer_t *timer)
{
    while (i > 1 && sim_heap[i / 2]->due_usec > timer->due_usec) {
        sim_heap_put(i, sim_heap[i / 2]);
        i /= 2;
    }

    sim_heap_put(i, timer);
}


static void
sim_heap_down(size_t i, sim_timer_t *timer)
{
    size_t  child;

    while ((child = i * 2) <= sim_heap_n) {

        if (child < sim_heap_n
            && sim_heap[child + 1]->due_usec < sim_heap[child]->due_usec)
        {
            child++;
        }

        if (sim_heap[child]->due_usec >= timer->due_usec) {
            break;
        }

        sim_heap_put(i, sim_heap[child]);
        i = child;
    }

    sim_heap_put(i, timer);
}
