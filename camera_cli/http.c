/*
 * Copyright (C) The nginx camera platform authors
 */

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http.h"


#define CLI_HTTP_MAX  (1 << 20)


static size_t cli_http_more(char *data, size_t size, size_t n, void *arg);


void
cli_http_get(cli_http_t *http, const char *url)
{
    CURL      *curl;
    CURLcode   rc;

    memset(http, 0, sizeof(cli_http_t));

    curl = curl_easy_init();

    if (curl == NULL) {
        snprintf(http->error, sizeof(http->error), "out of memory");
        return;
    }

    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long) CLI_HTTP_TIMEOUT_SEC);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, cli_http_more);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, http);

    rc = curl_easy_perform(curl);

    if (rc == CURLE_OK) {
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &http->status);

    } else {
        snprintf(http->error, sizeof(http->error), "%s",
                 curl_easy_strerror(rc));
    }

    curl_easy_cleanup(curl);
}


static size_t
cli_http_more(char *data, size_t size, size_t n, void *arg)
{
    char        *body;
    size_t       len;
    cli_http_t  *http = arg;

    len = size * n;

    if (http->len + len > CLI_HTTP_MAX) {
        return 0;
    }

    body = realloc(http->body, http->len + len + 1);

    if (body == NULL) {
        return 0;
    }

    memcpy(body + http->len, data, len);
    http->body = body;
    http->len += len;
    body[http->len] = '\0';

    return len;
}


void
cli_http_free(cli_http_t *http)
{
    free(http->body);
    http->body = NULL;
}


int
cli_url_split(const char *url, char *host, size_t host_len, char *port,
    size_t port_len)
{
    int    rc;
    char  *text;
    CURLU *u;

    u = curl_url();

    if (u == NULL) {
        return -1;
    }

    rc = -1;

    if (curl_url_set(u, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) == 0) {

        if (curl_url_get(u, CURLUPART_HOST, &text, 0) == 0) {
            rc = snprintf(host, host_len, "%s", text) < (int) host_len ? 0
                                                                       : -1;
            curl_free(text);
        }

        if (rc == 0 && curl_url_get(u, CURLUPART_PORT, &text, 0) == 0) {
            snprintf(port, port_len, "%s", text);
            curl_free(text);

        } else {
            snprintf(port, port_len, "1936");
        }
    }

    curl_url_cleanup(u);

    return rc;
}
