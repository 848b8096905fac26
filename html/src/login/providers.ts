/*
 * Identity providers: where their buttons lead, and what is said when somebody
 * comes back without being logged in.  The code stands in the address, as the
 * server put it there; it is taken out, so that a reload does not repeat it.
 */

import type { Providers } from "../types";

export type Provider = Providers["providers"][number];

const WORDS: Record<string, string> = {
  OIDC_DENIED: "You did not allow the provider to tell who you are.",
  OIDC_STATE_INVALID:
    "It took too long, or began in another window. Please begin again.",
  OIDC_TOKEN_INVALID:
    "What the provider said of you could not be verified. The administrator finds the reason in the log.",
  OIDC_PROVIDER_FAILED:
    "The provider cannot be asked now. Try again in a moment.",
  OIDC_EMAIL_UNVERIFIED:
    "The provider has not verified your e-mail address. Verify it there first.",
  OIDC_DOMAIN_NOT_ALLOWED:
    "E-mail addresses of your domain may not sign in here.",
  OIDC_NO_ACCOUNT:
    "There is no account for you here. Ask an administrator to add your e-mail address.",
  OIDC_ACCOUNT_DISABLED: "Your account here is disabled.",
  RATE_LIMIT_EXCEEDED: "Too many attempts. Wait a moment.",
  SERVICE_UNAVAILABLE: "The server cannot do this now. Try again in a moment.",
};

export function errorWords(code: string): string {
  return WORDS[code] ?? `Something went wrong (${code}).`;
}

/* "?error=CODE" of an address, undefined when there is none */
export function errorOf(search: string): string | undefined {
  const code = new URLSearchParams(search).get("error");

  return code !== null && /^[A-Z_]{1,40}$/.test(code) ? code : undefined;
}

export function providerAddress(
  name: string,
  returnTo: string,
  remember: boolean,
): string {
  const query = new URLSearchParams({
    returnTo,
    remember: String(remember),
  });

  return `./api/v1/auth/oidc/${encodeURIComponent(name)}?${query.toString()}`;
}

/* reads the code, and shows the address without it from now on */
export function takeError(): string | undefined {
  const code = errorOf(location.search);

  if (code !== undefined) {
    history.replaceState(null, "", location.pathname + location.hash);
  }

  return code;
}
