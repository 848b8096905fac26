/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Authorisation of a publisher, out of shared memory alone: no query, no
 * wait.  A credential has one of two shapes, a signed token (JWT) beside the
 * camera's public name, or an opaque key; the registry says which camera it
 * belongs to and what has become of it since.
 *
 * A client that shows no valid credential learns nothing about cameras: an
 * unknown name and a bad token look the same.  What it learns is written
 * down at the camera it named, for the operator.
 */

#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_camera_ingest.h"


static cam_reason_e ngx_camera_ingest_ready(ngx_camera_conf_t *ccf,
    time_t now);
static cam_reason_e ngx_camera_ingest_opaque(ngx_camera_conf_t *ccf,
    ngx_str_t *text, ngx_camera_grant_t *grant);
static cam_reason_e ngx_camera_ingest_jwt(ngx_camera_conf_t *ccf,
    ngx_str_t *name, ngx_str_t *token, time_t now, ngx_camera_grant_t *grant);
static cam_reason_e ngx_camera_ingest_check_grant(ngx_camera_conf_t *ccf,
    struct sockaddr *addr, time_t now, ngx_camera_grant_t *grant);
static ngx_uint_t ngx_camera_ingest_generation(
    const cam_registry_entry_t *entry, uint32_t generation, time_t now);


void
ngx_camera_ingest_authorize(ngx_camera_conf_t *ccf, ngx_str_t *name,
    ngx_str_t *token, struct sockaddr *addr, ngx_camera_grant_t *grant)
{
    time_t  now;

    now = ngx_time();

    ngx_memzero(grant, sizeof(ngx_camera_grant_t));

    grant->slot = cam_registry_find_key(ccf->registry, (char *) name->data,
                                        name->len, &grant->entry);

    grant->reason = ngx_camera_ingest_ready(ccf, now);

    if (grant->reason != CAM_REASON_NONE) {
        return;
    }

    if (token->len == 0) {
        grant->reason = ngx_camera_ingest_opaque(ccf, name, grant);

    } else if (token->len == CAM_TOKEN_OPAQUE_LEN) {
        grant->reason = ngx_camera_ingest_opaque(ccf, token, grant);

        if (grant->reason == CAM_REASON_NONE
            && (name->len != ngx_strlen(grant->entry.key)
                || ngx_strncmp(name->data, grant->entry.key, name->len) != 0))
        {
            grant->reason = CAM_REASON_TOKEN_FOREIGN;
        }

    } else {
        grant->reason = ngx_camera_ingest_jwt(ccf, name, token, now, grant);
    }

    if (grant->reason == CAM_REASON_NONE) {
        grant->reason = ngx_camera_ingest_check_grant(ccf, addr, now, grant);
    }
}


/* a registry that nobody has fed for a day may hold revoked cameras */

static cam_reason_e
ngx_camera_ingest_ready(ngx_camera_conf_t *ccf, time_t now)
{
    cam_registry_info_t  info;

    cam_registry_info(ccf->registry, &info);

    return info.fed_at != 0 && now - info.fed_at <= CAM_REGISTRY_TTL_SEC
           ? CAM_REASON_NONE : CAM_REASON_NOT_READY;
}


static cam_reason_e
ngx_camera_ingest_opaque(ngx_camera_conf_t *ccf, ngx_str_t *text,
    ngx_camera_grant_t *grant)
{
    int                       slot;
    ngx_uint_t                i;
    ngx_camera_credential_t  *credential;

    credential = &grant->credential;

    if (text->len != CAM_TOKEN_OPAQUE_LEN) {
        return CAM_REASON_TOKEN_MISSING;
    }

    cam_token_sha256(credential->hash, (char *) text->data, text->len);

    slot = cam_registry_find_opaque(ccf->registry, credential->hash,
                                    &grant->entry);

    if (slot == -1) {
        return CAM_REASON_TOKEN_INVALID;
    }

    grant->slot = slot;

    for (i = 0; i < CAM_REGISTRY_OPAQUE - 1; i++) {
        if (ngx_memcmp(grant->entry.opaque[i], credential->hash, 32) == 0) {
            break;
        }
    }

    credential->opaque = 1;
    credential->generation = grant->entry.opaque_generation[i];
    ngx_memcpy(credential->holder, credential->hash, 16);

    return CAM_REASON_NONE;
}


static cam_reason_e
ngx_camera_ingest_jwt(ngx_camera_conf_t *ccf, ngx_str_t *name,
    ngx_str_t *token, time_t now, ngx_camera_grant_t *grant)
{
    int                       slot;
    cam_token_t               claims;
    ngx_camera_credential_t  *credential;

    switch (cam_token_verify(ccf->keys, CAM_KEY_STREAM, (char *) token->data,
                             token->len, now, &claims))
    {

    case CAM_TOKEN_OK:
        break;

    case CAM_TOKEN_EXPIRED:
        return CAM_REASON_TOKEN_EXPIRED;

    default:
        return CAM_REASON_TOKEN_INVALID;
    }

    slot = cam_registry_find_id(ccf->registry, claims.camera, &grant->entry);

    if (slot == -1) {
        return CAM_REASON_TOKEN_REVOKED;
    }

    if (name->len != ngx_strlen(grant->entry.key)
        || ngx_strncmp(name->data, grant->entry.key, name->len) != 0)
    {
        return CAM_REASON_TOKEN_FOREIGN;
    }

    credential = &grant->credential;

    credential->generation = claims.generation;
    credential->expires = (time_t) claims.expires;
    ngx_memcpy(credential->holder, claims.jti, 16);

    grant->slot = slot;

    return CAM_REASON_NONE;
}


/* the version is read before the entry, so that no change goes unseen */

static cam_reason_e
ngx_camera_ingest_check_grant(ngx_camera_conf_t *ccf, struct sockaddr *addr,
    time_t now, ngx_camera_grant_t *grant)
{
    u_char  camera[CAM_UUID_LEN];

    ngx_memcpy(camera, grant->entry.camera, CAM_UUID_LEN);

    grant->version = cam_registry_slot_version(ccf->registry, grant->slot);

    if (cam_registry_get(ccf->registry, grant->slot, &grant->entry) != 0
        || ngx_memcmp(grant->entry.camera, camera, CAM_UUID_LEN) != 0)
    {
        return CAM_REASON_TOKEN_REVOKED;
    }

    return ngx_camera_ingest_check(&grant->entry, &grant->credential, addr,
                                   now);
}


cam_reason_e
ngx_camera_ingest_check(const cam_registry_entry_t *entry,
    const ngx_camera_credential_t *credential, struct sockaddr *addr,
    time_t now)
{
    ngx_uint_t  i;

    if (!ngx_camera_ingest_generation(entry, credential->generation, now)) {
        return CAM_REASON_TOKEN_REVOKED;
    }

    if (credential->opaque) {

        for (i = 0; i < CAM_REGISTRY_OPAQUE; i++) {
            if (ngx_memcmp(entry->opaque[i], credential->hash, 32) == 0) {
                break;
            }
        }

        if (i == CAM_REGISTRY_OPAQUE) {
            return CAM_REASON_TOKEN_REVOKED;
        }
    }

    if (!(entry->flags & CAM_CAMERA_ACTIVE)) {
        return CAM_REASON_CAMERA_INACTIVE;
    }

    if (!cam_registry_allows(entry, addr)) {
        return CAM_REASON_ADDRESS;
    }

    if ((entry->flags & CAM_CAMERA_CUT_AT_EXPIRY)
        && credential->expires != 0 && credential->expires <= now)
    {
        return CAM_REASON_TOKEN_EXPIRED;
    }

    return CAM_REASON_NONE;
}


static ngx_uint_t
ngx_camera_ingest_generation(const cam_registry_entry_t *entry,
    uint32_t generation, time_t now)
{
    if (generation == entry->key_generation) {
        return 1;
    }

    return generation == entry->prev_generation
           && entry->prev_generation != 0
           && now < entry->prev_until;
}
