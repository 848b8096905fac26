/*
 * Copyright (C) The nginx camera platform authors
 */

/* What lets a camera push and a viewer play: addresses with their tokens. */

#ifndef CLI_CREDENTIALS_H
#define CLI_CREDENTIALS_H

#include "db.h"


/* "rtmps://host:1936/live" of the instance, "" when it is not known */
void cli_publish_base(const cli_t *cli, char *base, size_t len);

/*
 * Each adds its members to value; 0, or an exit code after a message.
 * cli_keys_load() was called before.
 */
int cli_publish_url(cli_t *cli, const cli_camera_t *camera, json_t *value);
int cli_play_url(cli_t *cli, const cli_camera_t *camera, json_t *value);

/* a publish token alone; the same answers */
int cli_stream_token(cli_t *cli, const cli_camera_t *camera,
    char text[CAM_TOKEN_MAX], int64_t *expires);
int cli_opaque(cli_t *cli, const cli_camera_t *camera,
    char text[CAM_TOKEN_OPAQUE_LEN + 1]);

/* camera token ID --jwt|--opaque */
int cli_publish_token(cli_t *cli);

/* the members expiresAt and expiresIn */
void cli_set_expiry(json_t *value, int64_t expires);


#endif /* CLI_CREDENTIALS_H */
