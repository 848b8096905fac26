/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The keys that recordings are encrypted with.  The file is read again when it
 * is another one, so that a key which was missing, or is new, is used from the
 * next recording on without a restart.  What cannot be read is as good as none:
 * a camera that is to be encrypted is then not recorded.
 */

#include <string.h>
#include <sys/stat.h>

#include "log.h"
#include "record.h"


static int cw_record_keys_same(const struct stat *one,
    const struct stat *two);


const cam_keys_t *
cw_record_keys(cw_record_t *r)
{
    char               err[256];
    const char        *path;
    struct stat        st;
    cw_record_keys_t  *k;

    k = &r->keys;
    path = r->worker->keys;

    if (path == NULL) {
        return NULL;
    }

    if (stat(path, &st) == -1) {
        memset(&st, 0, sizeof(struct stat));
    }

    if (!k->read || !cw_record_keys_same(&st, &k->stat)) {
        k->read = 1;
        k->stat = st;

        /* wipes them when it fails */

        if (cam_keys_load(&k->keys, path, err, sizeof(err)) == -1) {
            cw_log(CW_LOG_WARN, 0, "nothing is recorded encrypted: \"%s\" %s",
                   path, err);
        }
    }

    return k->keys.n ? &k->keys : NULL;
}


static int
cw_record_keys_same(const struct stat *one, const struct stat *two)
{
    return one->st_ino == two->st_ino && one->st_dev == two->st_dev
           && one->st_size == two->st_size && one->st_mode == two->st_mode
           && one->st_mtim.tv_sec == two->st_mtim.tv_sec
           && one->st_mtim.tv_nsec == two->st_mtim.tv_nsec;
}


const cam_keys_t *
cw_record_keys_signing(cw_record_t *r)
{
    const cam_keys_t  *keys;

    keys = cw_record_keys(r);

    return keys != NULL && cam_keys_signer(keys, CAM_KEY_RECORDING) != NULL
           ? keys : NULL;
}
