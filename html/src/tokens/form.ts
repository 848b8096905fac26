/* What a person says about a new API token, and what is sent of it. */

import { type ApiTokenCreate, may, type Permission, type User } from "../types";
import { PERMISSIONS } from "./words";

export interface TokenForm {
  name: string;
  remark: string;
  owner: string; // empty: oneself
  permissions: ReadonlySet<Permission>;
  expiresIn: number; // seconds, 0 for never
  rateLimit: string;
  rateWindow: number;
  allowedCidrs: string; // one on each line
}

const DAY = 86_400;

export const EXPIRIES: readonly [number, string][] = [
  [DAY, "in a day"],
  [7 * DAY, "in a week"],
  [30 * DAY, "in 30 days"],
  [90 * DAY, "in 90 days"],
  [365 * DAY, "in a year"],
  [0, "never"],
];

export const EMPTY: TokenForm = {
  name: "",
  remark: "",
  owner: "",
  permissions: new Set<Permission>(),
  expiresIn: 90 * DAY,
  rateLimit: "1000",
  rateWindow: 3600,
  allowedCidrs: "",
};

/* the fields that a form has; what is said about others is said above */
export const FIELDS = [
  "name",
  "remark",
  "userId",
  "permissions",
  "expiresAt",
  "rateLimit",
  "allowedCidrs",
] as const;

/* no token makes tokens, whatever it may do */
const OF_NO_USE: readonly Permission[] = ["tokens:manage"];

/*
 * What may be chosen: what the maker may do, since nobody gives more, and what
 * the token has already, to be taken away.
 */
export function choices(
  user: User,
  has: ReadonlySet<Permission> = new Set<Permission>(),
): Permission[] {
  return (Object.keys(PERMISSIONS) as Permission[]).filter(
    (one) =>
      has.has(one) ||
      (may(user, one) && one !== "*" && !OF_NO_USE.includes(one)),
  );
}

export function isReady(form: TokenForm): boolean {
  return (
    form.name.trim() !== "" && form.permissions.size > 0 && rate(form) >= 1
  );
}

export function toCreate(form: TokenForm, now: number): ApiTokenCreate {
  const allowedCidrs = form.allowedCidrs
    .split(/[\s,;]+/)
    .filter((one) => one !== "");

  return {
    name: form.name.trim(),
    ...(form.remark.trim() === "" ? {} : { remark: form.remark.trim() }),
    permissions: [...form.permissions],
    rateLimit: rate(form),
    rateWindow: form.rateWindow,
    ...(form.expiresIn > 0 && {
      expiresAt: new Date(now + form.expiresIn * 1000).toISOString(),
    }),
    ...(allowedCidrs.length > 0 && { allowedCidrs }),
    ...(form.owner !== "" && { userId: form.owner }),
  };
}

/* 0 for what is no number */
function rate(form: TokenForm): number {
  return /^\d{1,9}$/.test(form.rateLimit.trim()) ? Number(form.rateLimit) : 0;
}
