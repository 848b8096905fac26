/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The hashes of the audit log's chain, made here and not by the database,
 * which is what is to be checked.  docs/audit.md has their bytes.
 */

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit.h"

#define CLI_AUDIT_WORDS  "camera-audit 1\n"


static int cli_audit_hex(EVP_MD_CTX *ctx, char hex[CLI_AUDIT_HEX]);
static int cli_audit_bytes(const char *hex, uint8_t bytes[CLI_AUDIT_HASH]);


/* each field with its length, "-" for none; texts as the database sends them */

int
cli_audit_row_hash(const PGresult *result, int row, int first, int fields,
    char hex[CLI_AUDIT_HEX])
{
    int          i, n, len, rc;
    char         text[16];
    EVP_MD_CTX  *ctx;

    ctx = EVP_MD_CTX_new();
    rc = ctx != NULL && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL)
         && EVP_DigestUpdate(ctx, CLI_AUDIT_WORDS,
                             sizeof(CLI_AUDIT_WORDS) - 1);

    for (i = first; rc && i < first + fields; i++) {

        if (PQgetisnull(result, row, i)) {
            rc = EVP_DigestUpdate(ctx, "-,", 2);
            continue;
        }

        len = PQgetlength(result, row, i);
        n = snprintf(text, sizeof(text), "%d:", len);

        rc = EVP_DigestUpdate(ctx, text, (size_t) n)
             && EVP_DigestUpdate(ctx, PQgetvalue(result, row, i),
                                 (size_t) len)
             && EVP_DigestUpdate(ctx, ",", 1);
    }

    if (!rc) {
        EVP_MD_CTX_free(ctx);
        return -1;
    }

    return cli_audit_hex(ctx, hex);
}


int
cli_audit_place_hash(const char *before, const char *row_hash,
    char hex[CLI_AUDIT_HEX])
{
    uint8_t      bytes[2 * CLI_AUDIT_HASH];
    EVP_MD_CTX  *ctx;

    if (cli_audit_bytes(before, bytes) != 0
        || cli_audit_bytes(row_hash, bytes + CLI_AUDIT_HASH) != 0)
    {
        return -1;
    }

    ctx = EVP_MD_CTX_new();

    if (ctx == NULL || !EVP_DigestInit_ex(ctx, EVP_sha256(), NULL)
        || !EVP_DigestUpdate(ctx, bytes, sizeof(bytes)))
    {
        EVP_MD_CTX_free(ctx);
        return -1;
    }

    return cli_audit_hex(ctx, hex);
}


/* frees the context */

static int
cli_audit_hex(EVP_MD_CTX *ctx, char hex[CLI_AUDIT_HEX])
{
    int       i, rc;
    uint8_t   bytes[EVP_MAX_MD_SIZE];
    unsigned  len;

    rc = EVP_DigestFinal_ex(ctx, bytes, &len);
    EVP_MD_CTX_free(ctx);

    if (!rc || len != CLI_AUDIT_HASH) {
        return -1;
    }

    for (i = 0; i < CLI_AUDIT_HASH; i++) {
        snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
    }

    return 0;
}


static int
cli_audit_bytes(const char *hex, uint8_t bytes[CLI_AUDIT_HASH])
{
    int       i;
    unsigned  byte;

    if (strlen(hex) != CLI_AUDIT_HEX - 1
        || strspn(hex, "0123456789abcdef") != CLI_AUDIT_HEX - 1)
    {
        return -1;
    }

    for (i = 0; i < CLI_AUDIT_HASH; i++) {

        if (sscanf(hex + 2 * i, "%2x", &byte) != 1) {
            return -1;
        }

        bytes[i] = (uint8_t) byte;
    }

    return 0;
}
