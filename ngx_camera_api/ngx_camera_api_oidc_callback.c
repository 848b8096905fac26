/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * A browser that comes back from an identity provider:
 *
 *     /auth/oidc/NAME/callback  cookie ─► code for token ─► signature, claims
 *                               ─► whose identity ─► open a session ─► the page
 */

#include "base64url.h"
#include "email.h"
#include "json_read.h"
#include "ngx_camera_api_core.h"
#include "ngx_camera_api_oidc.h"
#include "percent.h"

#define NGX_CAMERA_API_OIDC_CODE_MAX  4096       /* bytes of a code */


static ngx_int_t ngx_camera_api_oidc_get(ngx_camera_api_oidc_t *op,
    const char *name, size_t max, ngx_str_t *value);
static void ngx_camera_api_oidc_exchange(ngx_camera_api_oidc_t *op);
static ngx_int_t ngx_camera_api_oidc_form(ngx_camera_api_oidc_t *op);
static ngx_int_t ngx_camera_api_oidc_basic(ngx_camera_api_oidc_t *op);
static void ngx_camera_api_oidc_exchanged(ngx_camera_api_oidc_t *op);
static ngx_int_t ngx_camera_api_oidc_read(ngx_camera_api_oidc_t *op);
static void ngx_camera_api_oidc_judge(ngx_camera_api_oidc_t *op);
static void ngx_camera_api_oidc_judge_again(ngx_camera_api_oidc_t *op);
static cam_id_token_rc_e ngx_camera_api_oidc_verify(
    ngx_camera_api_oidc_t *op);
static void ngx_camera_api_oidc_judged(ngx_camera_api_oidc_t *op,
    cam_id_token_rc_e rc);
static ngx_uint_t ngx_camera_api_oidc_domain(ngx_camera_api_oidc_t *op);
static void ngx_camera_api_oidc_identified(ngx_camera_api_ctx_t *ctx,
    const PGresult *res);
static ngx_camera_api_code_e ngx_camera_api_oidc_outcome(const char *outcome);
static void ngx_camera_api_oidc_opened(ngx_camera_api_ctx_t *ctx,
    const PGresult *res);


ngx_camera_api_statement_t  ngx_camera_api_oidc_identity = {
    "api_identity_login",
    "SELECT user_id, tenant_id, username, role::text, outcome"
    " FROM api_identity_login($1, $2, $3, $4, $5, $6)",
    6, 0, 0
};


/* providers add arguments of their own, so the query is read here */

void
ngx_camera_api_oidc_callback(ngx_camera_api_ctx_t *ctx)
{
    ngx_int_t               rc;
    ngx_str_t               state, error;
    ngx_camera_api_oidc_t  *op;

    op = ngx_camera_api_oidc_create(ctx);

    if (op == NULL) {
        return;
    }

    rc = ngx_camera_api_oidc_get(op, "state", NGX_CAMERA_API_OIDC_SECRET,
                                 &state);

    if (rc == NGX_OK) {
        rc = ngx_camera_api_oidc_return(op, &state);
    }

    if (rc != NGX_OK) {
        ngx_camera_api_error(ctx, rc == NGX_ERROR
                                  ? NGX_CAMERA_API_INTERNAL_ERROR
                                  : NGX_CAMERA_API_OIDC_STATE_INVALID, NULL);
        return;
    }

    ctx->page = op->trip.page;

    if (ngx_camera_api_oidc_get(op, "error", 64, &error) == NGX_OK) {
        ngx_camera_api_error(ctx, error.len == sizeof("access_denied") - 1
                                  && ngx_strncmp(error.data, "access_denied",
                                                 error.len)
                                     == 0
                                  ? NGX_CAMERA_API_OIDC_DENIED
                                  : NGX_CAMERA_API_OIDC_PROVIDER_FAILED, NULL);
        return;
    }

    ngx_camera_api_oidc_know(op, 1, ngx_camera_api_oidc_exchange);
}


/* an argument, decoded; NGX_DECLINED: there is none, or none that is good */

static ngx_int_t
ngx_camera_api_oidc_get(ngx_camera_api_oidc_t *op, const char *name,
    size_t max, ngx_str_t *value)
{
    char       *text;
    ssize_t     len;
    ngx_str_t   raw;

    if (ngx_http_arg(op->ctx->request, (u_char *) name, ngx_strlen(name), &raw)
        != NGX_OK
        || raw.len > 3 * max)
    {
        return NGX_DECLINED;
    }

    text = ngx_pnalloc(op->ctx->request->pool, raw.len + 1);
    if (text == NULL) {
        return NGX_ERROR;
    }

    len = cam_percent_decode(text, (char *) raw.data, raw.len, 1);

    if (len <= 0 || (size_t) len > max) {
        return NGX_DECLINED;
    }

    value->data = (u_char *) text;
    value->len = len;

    return NGX_OK;
}


static void
ngx_camera_api_oidc_exchange(ngx_camera_api_oidc_t *op)
{
    ngx_int_t                     rc;
    ngx_camera_api_oidc_known_t  *known;

    known = op->provider->known;

    op->url.data = (u_char *) known->token;
    op->url.len = ngx_strlen(known->token);

    rc = ngx_camera_api_oidc_form(op);

    if (rc == NGX_DECLINED) {
        ngx_camera_api_error(op->ctx, NGX_CAMERA_API_OIDC_STATE_INVALID, NULL);
        return;
    }

    if (rc != NGX_OK
        || (known->basic && ngx_camera_api_oidc_basic(op) != NGX_OK)
        || ngx_camera_api_oidc_ask(op, ngx_camera_api_oidc_exchanged)
           != NGX_OK)
    {
        ngx_camera_api_error(op->ctx, NGX_CAMERA_API_INTERNAL_ERROR, NULL);
    }
}


static ngx_int_t
ngx_camera_api_oidc_form(ngx_camera_api_oidc_t *op)
{
    u_char                          *p;
    ngx_int_t                        rc;
    ngx_str_t                        code, uri;
    ngx_camera_api_oidc_provider_t  *provider;

    provider = op->provider;

    rc = ngx_camera_api_oidc_get(op, "code", NGX_CAMERA_API_OIDC_CODE_MAX,
                                 &code);
    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_camera_api_oidc_redirect_uri(op, &uri) != NGX_OK) {
        return NGX_ERROR;
    }

    p = ngx_pnalloc(op->ctx->request->pool, 256
                    + 3 * (code.len + uri.len + provider->client_id.len
                           + provider->secret.len));
    if (p == NULL) {
        return NGX_ERROR;
    }

    op->body.data = p;

    p = ngx_cpymem(p, "grant_type=authorization_code",
                   sizeof("grant_type=authorization_code") - 1);
    p = ngx_camera_api_oidc_arg(p, "code", code.data, code.len);
    p = ngx_camera_api_oidc_arg(p, "redirect_uri", uri.data, uri.len);
    p = ngx_camera_api_oidc_arg(p, "code_verifier", op->trip.verifier,
                                NGX_CAMERA_API_OIDC_SECRET);

    if (!provider->known->basic) {
        p = ngx_camera_api_oidc_arg(p, "client_id", provider->client_id.data,
                                    provider->client_id.len);
        p = ngx_camera_api_oidc_arg(p, "client_secret", provider->secret.data,
                                    provider->secret.len);
    }

    op->body.len = p - op->body.data;

    return NGX_OK;
}


/* both are encoded as in a form first (RFC 6749, 2.3.1) */

static ngx_int_t
ngx_camera_api_oidc_basic(ngx_camera_api_oidc_t *op)
{
    u_char                          *p;
    ngx_str_t                        pair, encoded;
    ngx_camera_api_oidc_provider_t  *provider;

    provider = op->provider;

    pair.data = ngx_pnalloc(op->ctx->request->pool,
                            3 * (provider->client_id.len
                                 + provider->secret.len) + 1);
    if (pair.data == NULL) {
        return NGX_ERROR;
    }

    p = (u_char *) cam_percent_encode((char *) pair.data,
                                      (char *) provider->client_id.data,
                                      provider->client_id.len);
    *p++ = ':';
    p = (u_char *) cam_percent_encode((char *) p,
                                      (char *) provider->secret.data,
                                      provider->secret.len);
    pair.len = p - pair.data;

    op->authorization.data = ngx_pnalloc(op->ctx->request->pool,
                                         sizeof("Basic ")
                                         + ngx_base64_encoded_length(pair.len));

    if (op->authorization.data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(op->authorization.data, "Basic ", sizeof("Basic ") - 1);
    encoded.data = p;
    ngx_encode_base64(&encoded, &pair);

    /* nginx ends each header with a NUL */

    encoded.data[encoded.len] = '\0';
    op->authorization.len = encoded.data + encoded.len
                            - op->authorization.data;

    return NGX_OK;
}


static void
ngx_camera_api_oidc_exchanged(ngx_camera_api_oidc_t *op)
{
    if (op->status == NGX_HTTP_BAD_REQUEST) {

        /* as a rule the code was used before, or is too old */

        ngx_camera_api_oidc_failed(op, NGX_CAMERA_API_OIDC_STATE_INVALID,
                                   "refused the code");
        return;
    }

    if (op->status != NGX_HTTP_OK) {
        ngx_camera_api_oidc_failed(op, NGX_CAMERA_API_OIDC_PROVIDER_FAILED,
                        op->status == NGX_HTTP_UNAUTHORIZED
                        ? "does not accept \"client_id\" and the secret"
                        : op->status ? "gives no token" : "cannot be reached");
        return;
    }

    if (ngx_camera_api_oidc_read(op) != NGX_OK) {
        ngx_camera_api_oidc_failed(op, NGX_CAMERA_API_OIDC_PROVIDER_FAILED,
                                   "answers without an ID token");
        return;
    }

    ngx_camera_api_oidc_judge(op);
}


static ngx_int_t
ngx_camera_api_oidc_read(ngx_camera_api_oidc_t *op)
{
    char      err[CAM_PROBLEM_MESSAGE];
    json_t   *json, *token;

    json = cam_json_read((char *) op->answer.data, op->answer.len, err,
                         sizeof(err));

    if (json == NULL) {
        return NGX_ERROR;
    }

    token = json_object_get(json, "id_token");

    if (json_is_string(token)) {
        op->id_token.len = json_string_length(token);
        op->id_token.data = ngx_pnalloc(op->ctx->request->pool,
                                        op->id_token.len + 1);

        if (op->id_token.data) {
            ngx_memcpy(op->id_token.data, json_string_value(token),
                       op->id_token.len);
        }
    }

    cam_json_wipe(json);

    return op->id_token.data ? NGX_OK : NGX_ERROR;
}


/* a key that nobody knew of may be new */

static void
ngx_camera_api_oidc_judge(ngx_camera_api_oidc_t *op)
{
    cam_id_token_rc_e  rc;

    rc = ngx_camera_api_oidc_verify(op);

    if (rc == CAM_ID_TOKEN_UNKNOWN_KEY
        && ngx_camera_api_oidc_renew(op, ngx_camera_api_oidc_judge_again)
           == NGX_OK)
    {
        return;
    }

    ngx_camera_api_oidc_judged(op, rc);
}


static void
ngx_camera_api_oidc_judge_again(ngx_camera_api_oidc_t *op)
{
    ngx_camera_api_oidc_judged(op, ngx_camera_api_oidc_verify(op));
}


static cam_id_token_rc_e
ngx_camera_api_oidc_verify(ngx_camera_api_oidc_t *op)
{
    cam_id_token_wanted_t            wanted;
    ngx_camera_api_oidc_provider_t  *provider;

    provider = op->provider;

    wanted.issuer = (char *) provider->expected.data;
    wanted.audience = (char *) provider->client_id.data;
    wanted.nonce = op->trip.nonce;
    wanted.flavor = provider->flavor;
    wanted.now = ngx_time();

    return cam_id_token_verify(&op->who, &provider->known->jwks, &wanted,
                               (char *) op->id_token.data, op->id_token.len);
}


static void
ngx_camera_api_oidc_judged(ngx_camera_api_oidc_t *op, cam_id_token_rc_e rc)
{
    ngx_camera_api_ctx_t            *ctx;
    ngx_camera_api_oidc_provider_t  *provider;

    ctx = op->ctx;
    provider = op->provider;

    if (rc != CAM_ID_TOKEN_OK) {
        ngx_log_error(NGX_LOG_ERR, ctx->request->connection->log, 0,
                      "the ID token of identity provider \"%V\" %s",
                      &provider->name, cam_id_token_rc_text(rc));
        ngx_camera_api_error(ctx, NGX_CAMERA_API_OIDC_TOKEN_INVALID, NULL);
        return;
    }

    if (provider->domains.nelts && op->who.email[0] == '\0') {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_OIDC_EMAIL_UNVERIFIED, NULL);
        return;
    }

    if (!ngx_camera_api_oidc_domain(op)) {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_OIDC_DOMAIN_NOT_ALLOWED,
                             NULL);
        return;
    }

    ngx_camera_api_param_text(ctx, op->who.issuer);
    ngx_camera_api_param_text(ctx, op->who.subject);
    ngx_camera_api_param_text(ctx, op->who.email[0] ? op->who.email : NULL);
    ngx_camera_api_param_text(ctx, op->who.name[0] ? op->who.name : NULL);
    ngx_camera_api_param_text(ctx, (char *) provider->tenant.data);
    ngx_camera_api_param_text(ctx, provider->create
                                   ? (char *) provider->role.data : NULL);

    ngx_camera_api_query(ctx, &ngx_camera_api_oidc_identity,
                         ngx_camera_api_oidc_identified);
}


static ngx_uint_t
ngx_camera_api_oidc_domain(ngx_camera_api_oidc_t *op)
{
    size_t       len;
    ngx_str_t   *domains;
    const char  *domain;
    ngx_uint_t   i;

    domains = op->provider->domains.elts;
    domain = cam_email_domain(op->who.email, ngx_strlen(op->who.email), &len);

    for (i = 0; i < op->provider->domains.nelts; i++) {
        if (domains[i].len == len
            && ngx_strncasecmp(domains[i].data, (u_char *) domain, len) == 0)
        {
            return 1;
        }
    }

    return op->provider->domains.nelts == 0;
}


static void
ngx_camera_api_oidc_identified(ngx_camera_api_ctx_t *ctx, const PGresult *res)
{
    const char             *outcome;
    ngx_camera_api_code_e   code;
    ngx_camera_api_oidc_t  *op;

    op = ctx->data;
    outcome = PQgetvalue(res, 0, 4);
    code = ngx_camera_api_oidc_outcome(outcome);

    if (code != NGX_CAMERA_API_OK) {
        ngx_log_error(NGX_LOG_WARN, ctx->request->connection->log, 0,
                      "somebody of identity provider \"%V\" may not log in: "
                      "%s", &op->provider->name, outcome);
        ngx_camera_api_error(ctx, code, NULL);
        return;
    }

    ngx_camera_api_auth_read(&op->auth, res);

    if (ngx_camera_api_auth_renew(&op->auth, op->hash) != NGX_OK) {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_INTERNAL_ERROR, NULL);
        return;
    }

    op->ttl = op->trip.remember ? NGX_CAMERA_API_AUTH_REMEMBER
                                : NGX_CAMERA_API_AUTH_DAY;

    ngx_camera_api_param_uuid(ctx, op->auth.principal.user);
    ngx_camera_api_param_binary(ctx, op->hash, sizeof(op->hash));
    ngx_camera_api_param_int(ctx, op->ttl);
    ngx_camera_api_param_text(ctx, ngx_camera_api_auth_agent(ctx));
    ngx_camera_api_param_text(ctx, ngx_camera_api_auth_address(ctx));

    ngx_camera_api_query(ctx, &ngx_camera_api_auth_open,
                         ngx_camera_api_oidc_opened);
}


static ngx_camera_api_code_e
ngx_camera_api_oidc_outcome(const char *outcome)
{
    ngx_uint_t  i;

    static const struct {
        const char             *outcome;
        ngx_camera_api_code_e   code;
    } codes[] = {
        { "known", NGX_CAMERA_API_OK },
        { "linked", NGX_CAMERA_API_OK },
        { "created", NGX_CAMERA_API_OK },
        { "unverified", NGX_CAMERA_API_OIDC_EMAIL_UNVERIFIED },
        { "disabled", NGX_CAMERA_API_OIDC_ACCOUNT_DISABLED }
    };

    for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (ngx_strcmp(outcome, codes[i].outcome) == 0) {
            return codes[i].code;
        }
    }

    return NGX_CAMERA_API_OIDC_NO_ACCOUNT;
}


/* the page gets an access token by the cookie, as after a reload */

static void
ngx_camera_api_oidc_opened(ngx_camera_api_ctx_t *ctx, const PGresult *res)
{
    ngx_camera_api_oidc_t  *op;

    op = ctx->data;

    /* disabled since it was found */

    if (PQgetisnull(res, 0, 0)) {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_OIDC_ACCOUNT_DISABLED, NULL);
        return;
    }

    ngx_memcpy(op->auth.principal.sid, PQgetvalue(res, 0, 0), CAM_UUID_LEN);
    ngx_camera_api_auth_begins(&op->auth, op->ttl);

    ctx->principal = &op->auth.principal;

    if (ngx_camera_api_auth_cookie_set(ctx, op->auth.refresh,
                                       op->trip.remember ? op->ttl : 0)
        != NGX_OK)
    {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_INTERNAL_ERROR, NULL);
        return;
    }

    ngx_camera_api_auth_copy(&op->auth);
    ngx_camera_api_redirect(ctx, &ctx->page);
}
