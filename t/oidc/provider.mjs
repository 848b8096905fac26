// Copyright (C) The nginx camera platform authors

// A real OpenID provider, for the tests: npm's oidc-provider with keys that are
// new at each start, one client, and accounts that are what their name says:
//
//     ann               ann@example.org, verified
//     unverified-ann    the same address, not verified
//
// usage: node provider.mjs ISSUER PORT CERTIFICATE KEY REDIRECT_URI ALGORITHM

import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import { Provider } from "oidc-provider";
import { generateKeyPairSync, randomUUID } from "node:crypto";

const [issuer, port, certificate, key, redirectUri, algorithm] =
  process.argv.slice(2);

function signingKey(type, options, alg) {
  const { privateKey } = generateKeyPairSync(type, options);
  const jwk = privateKey.export({ format: "jwk" });

  return { ...jwk, kid: randomUUID(), use: "sig", alg };
}

function account(id) {
  const verified = !id.startsWith("unverified-");
  const name = id.replace(/^unverified-/, "");

  return {
    accountId: id,
    claims: () => ({
      sub: id,
      email: `${name}@example.org`,
      email_verified: verified,
      name: `${name.slice(0, 1).toUpperCase()}${name.slice(1)} Lee`,
    }),
  };
}

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: "cameras",
      client_secret: "a secret of the client: +/=%",
      redirect_uris: [redirectUri],
      id_token_signed_response_alg: algorithm,
    },
  ],
  jwks: {
    keys: [
      signingKey("rsa", { modulusLength: 2048 }, "RS256"),
      signingKey("ec", { namedCurve: "P-256" }, "ES256"),
    ],
  },
  cookies: { keys: [randomUUID()] },
  claims: { email: ["email", "email_verified"], profile: ["name"] },
  conformIdTokenClaims: false,
  findAccount: (_, id) => account(id),
  pkce: { required: () => true },
});

createServer(
  { cert: readFileSync(certificate), key: readFileSync(key) },
  provider.callback(),
).listen(Number(port), "127.0.0.1");
