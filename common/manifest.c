/*
 * Copyright (C) The nginx camera platform authors
 */

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

#include "base64url.h"
#include "manifest.h"

#define CAM_MANIFEST_MAC     32


static int cam_manifest_mac(json_t *manifest, const char *words,
    const cam_key_t *key, uint8_t mac[CAM_MANIFEST_MAC]);
static char *cam_manifest_text(json_t *manifest, const char *words);


int
cam_manifest_sign(json_t *manifest, const char *words,
    const cam_keys_t *keys)
{
    char              text[cam_base64url_encoded_len(CAM_MANIFEST_MAC) + 1];
    uint8_t           mac[CAM_MANIFEST_MAC];
    const cam_key_t  *key;

    key = cam_keys_signer(keys, CAM_KEY_EXPORT);

    if (key == NULL
        || json_object_set_new(manifest, "kid", json_string(key->kid)) != 0
        || cam_manifest_mac(manifest, words, key, mac) != 0)
    {
        return -1;
    }

    cam_base64url_encode(text, mac, CAM_MANIFEST_MAC);

    return json_object_set_new(manifest, "signature", json_string(text));
}


cam_manifest_rc_e
cam_manifest_verify(json_t *manifest, const char *words,
    const cam_keys_t *keys)
{
    char              text[cam_base64url_encoded_len(CAM_MANIFEST_MAC) + 1];
    uint8_t           mac[CAM_MANIFEST_MAC];
    const char       *kid, *signature;
    const cam_key_t  *key;

    kid = json_string_value(json_object_get(manifest, "kid"));
    signature = json_string_value(json_object_get(manifest, "signature"));

    if (kid == NULL || signature == NULL) {
        return CAM_MANIFEST_MALFORMED;
    }

    key = cam_keys_find(keys, CAM_KEY_EXPORT, kid, strlen(kid));

    if (key == NULL) {
        return CAM_MANIFEST_UNKNOWN_KEY;
    }

    if (cam_manifest_mac(manifest, words, key, mac) != 0) {
        return CAM_MANIFEST_MALFORMED;
    }

    /* texts are compared, so there is one spelling of a signature */

    cam_base64url_encode(text, mac, CAM_MANIFEST_MAC);

    return strlen(signature) == strlen(text)
           && CRYPTO_memcmp(signature, text, strlen(text)) == 0
           ? CAM_MANIFEST_OK : CAM_MANIFEST_BAD_SIGNATURE;
}


static int
cam_manifest_mac(json_t *manifest, const char *words,
    const cam_key_t *key, uint8_t mac[CAM_MANIFEST_MAC])
{
    int       rc;
    char     *text;
    unsigned  len;

    text = cam_manifest_text(manifest, words);

    if (text == NULL) {
        return -1;
    }

    len = CAM_MANIFEST_MAC;
    rc = HMAC(EVP_sha256(), key->secret, key->len, (const uint8_t *) text,
              strlen(text), mac, &len) != NULL ? 0 : -1;
    free(text);

    return rc;
}


/* what is signed */

static char *
cam_manifest_text(json_t *manifest, const char *words)
{
    char    *text, *json;
    size_t   len;
    json_t  *copy;

    copy = json_copy(manifest);

    if (!json_is_object(copy)) {
        json_decref(copy);
        return NULL;
    }

    (void) json_object_del(copy, "signature");
    json = json_dumps(copy, JSON_COMPACT|JSON_SORT_KEYS);
    json_decref(copy);

    if (json == NULL) {
        return NULL;
    }

    len = strlen(json);
    text = malloc(strlen(words) + len + 1);

    if (text != NULL) {
        memcpy(text, words, strlen(words));
        memcpy(text + strlen(words), json, len + 1);
    }

    free(json);

    return text;
}
