/* What is written about an API token. */

import { ago, day } from "../camera/facts";
import type { Tone } from "../design/Notice";
import type { ApiToken, ApiTokenDay, Permission } from "../types";

export const PERMISSIONS: Record<Permission, string> = {
  "*": "Everything",
  "cameras:read": "See cameras",
  "cameras:write": "Add and change cameras",
  "streams:view": "Watch live",
  "recordings:read": "Watch recordings",
  "recordings:delete": "Remove recordings",
  "tokens:manage": "Make API tokens",
  "analytics:read": "Read statistics and storage",
  "alerts:manage": "Handle alerts",
  "users:manage": "Manage users and groups",
  "audit:read": "Read the audit",
};

const SOON_MS = 7 * 86_400_000;

export function stateWords(
  token: Pick<ApiToken, "isActive" | "expiresAt">,
  now: number = Date.now(),
): { word: string; tone: Tone } {
  if (!token.isActive) {
    return { word: "Revoked", tone: "bad" };
  }

  const left =
    token.expiresAt === null ? Infinity : Date.parse(token.expiresAt) - now;

  return left <= 0
    ? { word: "Expired", tone: "calm" }
    : left < SOON_MS
      ? { word: "Expires soon", tone: "warn" }
      : { word: "Active", tone: "good" };
}

export function expiryWords(expiresAt: string | null): string {
  return expiresAt === null ? "never expires" : `until ${day(expiresAt)}`;
}

export function usedWords(lastUsedAt: string | null, now?: number): string {
  return lastUsedAt === null ? "never used" : `used ${ago(lastUsedAt, now)}`;
}

export const WINDOWS: readonly [number, string][] = [
  [1, "a second"],
  [60, "a minute"],
  [3600, "an hour"],
];

export function rateWords({
  rateLimit,
  rateWindow,
}: Pick<ApiToken, "rateLimit" | "rateWindow">): string {
  const [, word] = WINDOWS.find(([seconds]) => seconds === rateWindow) ?? [];

  return `${rateLimit.toLocaleString()} ${word ?? `in ${rateWindow} seconds`}`;
}

export function networkWords(cidrs: readonly string[]): string {
  return cidrs.length === 0 ? "from anywhere" : `from ${cidrs.join(", ")}`;
}

/* the plot, for those who do not see it */
export function usageWords(days: readonly ApiTokenDay[]): string {
  const sum = total(days);
  const limited = days.reduce((all, one) => all + one.limited, 0);

  if (sum === 0) {
    return `Not used in ${days.length} days`;
  }

  const most = days.reduce((a, b) => (b.requests > a.requests ? b : a));

  return [
    `${requests(sum)} in ${days.length} days`,
    ...(limited > 0 ? [`${limited.toLocaleString()} too many`] : []),
    `most on ${day(most.date)}: ${most.requests.toLocaleString()}`,
  ].join(", ");
}

export function dayWords(one: ApiTokenDay): string {
  return [
    `${day(one.date)}: ${requests(one.requests)}`,
    ...(one.limited > 0 ? [`${one.limited.toLocaleString()} too many`] : []),
  ].join(", ");
}

export function total(days: readonly ApiTokenDay[]): number {
  return days.reduce((all, one) => all + one.requests, 0);
}

function requests(n: number): string {
  return n === 1 ? "1 request" : `${n.toLocaleString()} requests`;
}
