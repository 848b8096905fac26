/*
 * Copyright (C) The nginx camera platform authors
 */

/* camera doctor: may the camera publish, and why was it turned away? */

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "doctor.h"
#include "flv.h"


#define CLI_DOCTOR_REFUSED_SEC  3600


static int cli_doctor_cidrs(const cam_registry_entry_t *entry, char *text,
    size_t len);
static const char *cli_doctor_codec_name(const cam_registry_state_t *state);


void
cli_doctor_camera(cli_doctor_t *d)
{
    const cam_registry_entry_t  *entry;

    entry = &d->live.view.entry;

    if (!d->camera.active) {
        cli_doctor_note(d, "camera", CLI_CHECK_FAILED, "camera enable ID",
                        "the camera is disabled");

    } else if (d->shm.error) {
        cli_doctor_note(d, "camera", CLI_CHECK_SKIPPED, NULL,
                        "whether nginx knows the camera is not known");

    } else if (d->live.view.slot < 0) {
        cli_doctor_note(d, "camera", CLI_CHECK_FAILED,
                        "nginx reads new cameras within seconds: check the "
                        "\"registry\" and \"database\" of /readyz",
                        "nginx does not know the camera yet");

    } else if (!(entry->flags & CAM_CAMERA_ACTIVE)) {
        cli_doctor_note(d, "camera", CLI_CHECK_FAILED,
                        "check the tenant's state, and that nginx reaches the "
                        "database", "nginx holds the camera for disabled");

    } else if (entry->key_generation != d->camera.generation
               || entry->play_epoch != d->camera.epoch)
    {
        cli_doctor_note(d, "camera", CLI_CHECK_FAILED,
                        "check that nginx reaches the database, its log says",
                        "nginx has not heard of the newest key (it knows "
                        "generation %u, current is %u)", entry->key_generation,
                        d->camera.generation);

    } else {
        cli_doctor_note(d, "camera", CLI_CHECK_OK, NULL,
                        "nginx knows the camera as active, key generation %u",
                        entry->key_generation);
    }
}


void
cli_doctor_keys(cli_doctor_t *d)
{
    char    err[256];
    cli_t  *cli;

    cli = d->cli;

    if (cli->env.keys == NULL) {
        cli_doctor_note(d, "keys", CLI_CHECK_FAILED, NULL,
                        "CAMERA_KEYS is not known");
        return;
    }

    if (cam_keys_load(&cli->keys, cli->env.keys, err, sizeof(err)) != 0) {
        cli_doctor_note(d, "keys", CLI_CHECK_FAILED,
                        "nginx will not start or reload with it either",
                        "\"%s\" %s", cli->env.keys, err);
        return;
    }

    d->keys = 1;
    cli_doctor_note(d, "keys", CLI_CHECK_OK, NULL,
                    "tokens are signed with \"%s\"",
                    cam_keys_signer(&cli->keys, CAM_KEY_STREAM)->kid);
}


void
cli_doctor_address(cli_doctor_t *d)
{
    char  text[512];

    if (d->live.view.slot < 0) {
        return;
    }

    if (cli_doctor_cidrs(&d->live.view.entry, text, sizeof(text)) == 0) {
        cli_doctor_note(d, "address", CLI_CHECK_OK, NULL,
                        "the camera may come from any address");
        return;
    }

    /* the refusal itself, with its time, is the next check's */

    cli_doctor_note(d, "address",
                    !d->publishing
                    && d->live.view.state.refused_reason == CAM_REASON_ADDRESS
                    ? CLI_CHECK_WARNING : CLI_CHECK_OK, NULL,
                    "the camera may come from %s", text);
}


static int
cli_doctor_cidrs(const cam_registry_entry_t *entry, char *text, size_t len)
{
    int                i, used;
    char               addr[INET6_ADDRSTRLEN];
    size_t             n;
    const cam_cidr_t  *cidr;

    n = 0;
    used = 0;
    text[0] = '\0';

    for (i = 0; i < CAM_REGISTRY_CIDRS; i++) {
        cidr = &entry->cidr[i];

        if (cidr->family == 0
            || inet_ntop(cidr->family, cidr->addr, addr, sizeof(addr)) == NULL
            || n >= len)
        {
            continue;
        }

        n += (size_t) snprintf(text + n, len - n, "%s%s/%u", used++ ? ", " : "",
                               addr, cidr->bits);
    }

    return used;
}


/* an old refusal does not explain why nobody publishes now */

void
cli_doctor_refusal(cli_doctor_t *d)
{
    char                         when[32];
    int64_t                      age;
    const cam_registry_state_t  *state;

    state = &d->live.view.state;

    if (d->live.view.slot < 0 || state->refused_msec == 0) {
        return;
    }

    age = (cam_clock_wall_msec() - state->refused_msec) / 1000;
    cli_ago(when, age);

    cli_doctor_note(d, "refused",
                    d->publishing || age > CLI_DOCTOR_REFUSED_SEC
                    ? CLI_CHECK_WARNING : CLI_CHECK_FAILED,
                    cam_reason_text(state->refused_reason),
                    "%s ago a publisher was refused or cut: %s%s", when,
                    cam_reason_name(state->refused_reason),
                    cli_doctor_codec_name(state));
}


/* ", H.265 (hvc1)", or nothing */

static const char *
cli_doctor_codec_name(const cam_registry_state_t *state)
{
    char         name[CAM_FLV_CODEC_NAME];
    static char  text[CAM_FLV_CODEC_NAME + 2];

    if (state->refused_reason == CAM_REASON_VIDEO_CODEC) {
        cam_flv_video_name(name, state->refused_detail);

    } else if (state->refused_reason == CAM_REASON_AUDIO_CODEC) {
        cam_flv_audio_name(name, state->refused_detail);

    } else {
        return "";
    }

    snprintf(text, sizeof(text), ", %s", name);

    return text;
}
