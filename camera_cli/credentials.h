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

/* only the token, for doctor; its length, or -1 */
int cli_play_token(cli_t *cli, const cli_camera_t *camera, long ttl,
    char text[CAM_TOKEN_MAX]);


#endif /* CLI_CREDENTIALS_H */
