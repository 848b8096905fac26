/* What is written about a user, and what is sent of it. */

import { fieldMessage } from "../messages";
import type { Refusal } from "../outcome";
import type {
  Account,
  AccountCreate,
  AccountUpdate,
  CameraScope,
  UserRole,
} from "../types";

export interface UserForm {
  username: string;
  email: string;
  name: string;
  role: UserRole;
  isActive: boolean;
  cameraScope: CameraScope;
}

export const ROLES: readonly UserRole[] = [
  "admin",
  "operator",
  "viewer",
  "api_only",
];

export const EMPTY: UserForm = {
  username: "",
  email: "",
  name: "",
  role: "viewer",
  isActive: true,
  cameraScope: "all",
};

export function roleName(role: UserRole): string {
  return role === "api_only"
    ? "API only"
    : role.slice(0, 1).toUpperCase() + role.slice(1);
}

export function toForm(account: Account): UserForm {
  const { username, email, name, role, isActive, cameraScope } = account;

  return {
    username,
    email: email ?? "",
    name: name ?? "",
    role,
    isActive,
    cameraScope,
  };
}

export function toCreate(form: UserForm, password: string): AccountCreate {
  const { username, email, name, role, cameraScope } = form;

  return {
    username: username.trim(),
    ...(email.trim() === "" ? {} : { email: email.trim() }),
    ...(name.trim() === "" ? {} : { name: name.trim() }),
    role,
    cameraScope,
    password,
  };
}

/* what differs alone, as somebody else may change the rest */
export function toUpdate(before: UserForm, form: UserForm): AccountUpdate {
  const email = form.email.trim() || null;
  const name = form.name.trim() || null;

  return {
    ...(email !== (before.email || null) && { email }),
    ...(name !== (before.name || null) && { name }),
    ...(form.role !== before.role && { role: form.role }),
    ...(form.isActive !== before.isActive && { isActive: form.isActive }),
    ...(form.cameraScope !== before.cameraScope && {
      cameraScope: form.cameraScope,
    }),
  };
}

/* a name or an address that somebody else has is said at its field, too */
const TAKEN: Record<string, string> = {
  USER_NAME_DUPLICATE: "username",
  USER_EMAIL_DUPLICATE: "email",
};

export function userMessage(
  refusal: Refusal | undefined,
  name: string,
): string | undefined {
  return refusal?.kind === "conflict" && TAKEN[refusal.code] === name
    ? "Somebody else has it."
    : fieldMessage(refusal, name);
}

export function isAtField(refusal: Refusal): boolean {
  return (
    refusal.kind === "invalid" ||
    (refusal.kind === "conflict" && refusal.code in TAKEN)
  );
}

const LETTERS = "abcdefghjkmnpqrstuvwxyz"; // no l, i and o, which are misread
const DIGITS = "23456789";
const PARTS = 4;

/* to be told to somebody: "kpt4-wxa7-…", of 67 bits */
export function makePassword(): string {
  return Array.from(
    { length: PARTS },
    () => pick(LETTERS) + pick(LETTERS) + pick(LETTERS) + pick(DIGITS),
  ).join("-");
}

/* the highest numbers are drawn again, or the first letters came too often */
function pick(from: string): string {
  const [drawn = 0] = crypto.getRandomValues(new Uint8Array(1));

  return drawn < 256 - (256 % from.length)
    ? from.charAt(drawn % from.length)
    : pick(from);
}
