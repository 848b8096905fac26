/*
 * Copyright (C) The nginx camera platform authors
 */

/* What was measured, as a table for people or one JSON object. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "camsim.h"


static int sim_compare(const void *a, const void *b);
static double sim_percentile(sim_samples_t *samples, double percent);
static double sim_cpu_sec(void);
static void sim_report_text(double seconds);
static void sim_report_json(double seconds);
static void sim_print_json(const char *text);


void
sim_sample(sim_samples_t *samples, double value)
{
    if (samples->n == samples->cap) {
        samples->cap = samples->cap ? samples->cap * 2 : 256;
        samples->values = realloc(samples->values,
                                  samples->cap * sizeof(double));
        if (samples->values == NULL) {
            abort();
        }
    }

    samples->values[samples->n++] = value;
}


/* counts by text; what does not fit the table counts in the sum alone */

void
sim_failed(const char *text)
{
    size_t          i;
    sim_failure_t  *f;

    sim_stats.failures++;

    for (i = 0; i < SIM_FAILURES_MAX; i++) {
        f = &sim_stats.failure[i];

        if (f->count == 0) {
            snprintf(f->text, sizeof(f->text), "%s", text);
        }

        if (strncmp(f->text, text, sizeof(f->text) - 1) == 0) {
            f->count++;
            return;
        }
    }
}


void
sim_report(double seconds)
{
    if (sim_options.json) {
        sim_report_json(seconds);

    } else {
        sim_report_text(seconds);
    }
}


static void
sim_report_text(double seconds)
{
    size_t        i;
    sim_stats_t  *s = &sim_stats;

    printf("%.1f s, %.2f s of a processor\n", seconds, sim_cpu_sec());

    if (s->attempts) {
        printf("publishers  %u attempts, %u accepted, %u live at the end, "
               "%u dropped\n", s->attempts, s->accepted, s->live,
               s->disconnected);
        printf("accept      p50 %.1f ms, p99 %.1f ms\n",
               sim_percentile(&s->accept_msec, 50),
               sim_percentile(&s->accept_msec, 99));
        printf("sent        %llu tags, %.1f MB, %.1f ms behind at most, "
               "%u stalls (%.0f ms)\n", (unsigned long long) s->tags,
               s->bytes / 1e6, s->lag_msec_max, s->stalls, s->stall_msec_max);
    }

    if (sim_options.storm) {
        printf("storm       %zu back after %.0f ms, p50 %.1f ms, "
               "p99 %.1f ms, %u missing\n", s->again_msec.n, s->storm_msec,
               sim_percentile(&s->again_msec, 50),
               sim_percentile(&s->again_msec, 99), s->storm_left);
    }

    if (s->players) {
        printf("players     %u of %u playing, first picture p50 %.0f ms, "
               "p99 %.0f ms\n", s->playing, s->players,
               sim_percentile(&s->first_msec, 50),
               sim_percentile(&s->first_msec, 99));
        printf("segments    %u, %.1f MB, fetched in p50 %.1f ms, "
               "p99 %.1f ms\n", s->segments, s->played_bytes / 1e6,
               sim_percentile(&s->fetch_msec, 50),
               sim_percentile(&s->fetch_msec, 99));
        printf("gaps        %u missing, %u late (%.0f ms), "
               "%u discontinuities\n", s->missing, s->late, s->late_msec_max,
               s->discontinuities);
    }

    for (i = 0; i < SIM_FAILURES_MAX && s->failure[i].count; i++) {
        printf("%u times    %s\n", s->failure[i].count, s->failure[i].text);
    }
}


static void
sim_report_json(double seconds)
{
    size_t        i;
    sim_stats_t  *s = &sim_stats;

    printf("{\"seconds\":%.3f,\"cpuSeconds\":%.3f,", seconds, sim_cpu_sec());

    printf("\"publishers\":{\"attempts\":%u,\"accepted\":%u,\"live\":%u,"
           "\"disconnected\":%u,\"acceptMsecP50\":%.3f,"
           "\"acceptMsecP99\":%.3f,\"tags\":%llu,\"bytes\":%llu,"
           "\"lagMsecMax\":%.1f,\"stalls\":%u,\"stallMsecMax\":%.1f},",
           s->attempts, s->accepted, s->live, s->disconnected,
           sim_percentile(&s->accept_msec, 50),
           sim_percentile(&s->accept_msec, 99), (unsigned long long) s->tags,
           (unsigned long long) s->bytes, s->lag_msec_max, s->stalls,
           s->stall_msec_max);

    printf("\"storm\":{\"accepted\":%zu,\"missing\":%u,\"msec\":%.1f,"
           "\"acceptMsecP50\":%.3f,\"acceptMsecP99\":%.3f},",
           s->again_msec.n, s->storm_left, s->storm_msec,
           sim_percentile(&s->again_msec, 50),
           sim_percentile(&s->again_msec, 99));

    printf("\"players\":{\"started\":%u,\"playing\":%u,"
           "\"firstMsecP50\":%.1f,\"firstMsecP99\":%.1f,"
           "\"segments\":%u,\"bytes\":%llu,\"fetchMsecP50\":%.3f,"
           "\"fetchMsecP99\":%.3f,\"missing\":%u,\"late\":%u,"
           "\"lateMsecMax\":%.1f,\"discontinuities\":%u},",
           s->players, s->playing, sim_percentile(&s->first_msec, 50),
           sim_percentile(&s->first_msec, 99), s->segments,
           (unsigned long long) s->played_bytes,
           sim_percentile(&s->fetch_msec, 50),
           sim_percentile(&s->fetch_msec, 99), s->missing, s->late,
           s->late_msec_max, s->discontinuities);

    printf("\"failures\":{");

    for (i = 0; i < SIM_FAILURES_MAX && s->failure[i].count; i++) {
        printf("%s\"", i ? "," : "");
        sim_print_json(s->failure[i].text);
        printf("\":%u", s->failure[i].count);
    }

    printf("}}\n");
}


static void
sim_print_json(const char *text)
{
    for ( /* void */ ; *text; text++) {

        if (*text == '"' || *text == '\\' || (unsigned char) *text < 0x20) {
            printf("\\u%04x", (unsigned char) *text);

        } else {
            putchar(*text);
        }
    }
}


static double
sim_percentile(sim_samples_t *samples, double percent)
{
    if (samples->n == 0) {
        return 0;
    }

    qsort(samples->values, samples->n, sizeof(double), sim_compare);

    return samples->values[(size_t) ((samples->n - 1) * percent / 100)];
}


static int
sim_compare(const void *a, const void *b)
{
    double  x = *(double *) a, y = *(double *) b;

    return x < y ? -1 : x > y;
}


static double
sim_cpu_sec(void)
{
    struct rusage  ru;

    getrusage(RUSAGE_SELF, &ru);

    return ru.ru_utime.tv_sec + ru.ru_stime.tv_sec
           + (ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / 1e6;
}
