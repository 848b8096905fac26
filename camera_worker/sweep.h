/*
 * Copyright (C) The nginx camera platform authors
 */

#ifndef CW_SWEEP_H
#define CW_SWEEP_H

#include "registry.h"


/*
 * Removes what nobody will ask for again: directories of cameras that the
 * registry does not know, and of cameras whose last publication ended more
 * than an hour ago, and snapshots that were not asked for in the last minute.
 * A camera that a dead packager left as live is marked as ended.
 */
void cw_sweep(int livefd, cam_registry_t *registry);


#endif /* CW_SWEEP_H */
