/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The audit log's chain.  The database puts rows into it, because only there
 * can one statement see which are new and be the only one that does so; this
 * asks it to, every two seconds.  What the database cannot do by itself is to
 * prove that nobody made the chain anew: each hour the last place of each
 * tenant is signed with a key that it does not have, kept, and written into
 * the log of this program, which is another place.
 */

#include <stdlib.h>
#include <string.h>

#include "jobs.h"
#include "keys.h"
#include "log.h"
#include "manifest.h"

#define CW_AUDIT_BATCH       1000
#define CW_AUDIT_BATCH_TEXT  "1000"


static int cw_jobs_anchor(cw_jobs_t *j, const cam_keys_t *keys,
    const PGresult *heads, int row);


void
cw_jobs_audit(cw_jobs_t *j)
{
    int64_t    n;
    PGresult  *result;

    do {
        cw_jobs_alive(j);

        result = cw_db_query(&j->db, "SELECT audit_chain_next("
                             CW_AUDIT_BATCH_TEXT ")", 0, NULL);

        if (result == NULL) {
            return;
        }

        n = cw_db_number(result, 0, 0);
        PQclear(result);

    } while (n == CW_AUDIT_BATCH && !cw_quit);
}


void
cw_jobs_anchors(cw_jobs_t *j)
{
    int          i;
    char         err[256];
    PGresult    *heads;
    cam_keys_t   keys;

    if (j->worker->keys == NULL) {
        return;
    }

    if (cam_keys_load(&keys, j->worker->keys, err, sizeof(err)) != 0) {
        cw_log(CW_LOG_WARN, 0, "no anchor of the audit log: \"%s\" %s",
               j->worker->keys, err);
        return;
    }

    heads = cw_db_query(&j->db, "SELECT * FROM audit_heads()", 0, NULL);

    for (i = 0; heads != NULL && i < PQntuples(heads); i++) {
        if (cw_jobs_anchor(j, &keys, heads, i) != 0) {
            break;
        }
    }

    PQclear(heads);
    cam_keys_wipe(&keys);
}


/* columns as audit_heads() has them: tenant, position, row, hash, time */

static int
cw_jobs_anchor(cw_jobs_t *j, const cam_keys_t *keys, const PGresult *heads,
    int row)
{
    int          rc;
    char        *text;
    json_t      *anchor;
    const char  *values[5];

    anchor = json_pack("{s:s, s:I, s:I, s:s, s:s}",
                       "tenant", cw_db_text(heads, row, 0),
                       "position", (json_int_t) cw_db_number(heads, row, 1),
                       "logId", (json_int_t) cw_db_number(heads, row, 2),
                       "hash", cw_db_text(heads, row, 3),
                       "at", cw_db_text(heads, row, 4));

    if (anchor == NULL
        || cam_manifest_sign(anchor, CAM_MANIFEST_ANCHOR, keys) != 0)
    {
        cw_log(CW_LOG_WARN, 0, "no anchor of the audit log: \"%s\" has no key "
               "of use \"export\"", j->worker->keys);
        json_decref(anchor);
        return -1;
    }

    values[0] = cw_db_text(heads, row, 0);
    values[1] = cw_db_text(heads, row, 1);
    values[2] = cw_db_text(heads, row, 4);
    values[3] = json_string_value(json_object_get(anchor, "kid"));
    values[4] = json_string_value(json_object_get(anchor, "signature"));

    rc = cw_db_do(&j->db, "SELECT audit_anchor_add($1, $2, $3, $4, $5)", 5,
                  values);

    text = json_dumps(anchor, JSON_COMPACT|JSON_SORT_KEYS);

    if (rc == 0 && text != NULL) {
        cw_log(CW_LOG_INFO, 0, "audit anchor %s", text);
    }

    free(text);
    json_decref(anchor);

    return rc;
}
