/*
 * Copyright (C) The nginx camera platform authors
 */

#ifndef CLI_VERIFY_H
#define CLI_VERIFY_H

#include "cli.h"


/* verify_manifest.c: the manifest of words[0] and its file */
int cli_verify_manifest(cli_t *cli);


#endif /* CLI_VERIFY_H */
