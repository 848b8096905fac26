/* What the server said about the fields of a form, put beside them. */

import type { Refusal } from "./outcome";

/*
 * The message of one field.  A field of a list is named `allowedCidrs[2]` or
 * `allowedCidrs.2`, which is shown at the list.
 */
export function fieldMessage(
  refusal: Refusal | undefined,
  name: string,
): string | undefined {
  if (refusal?.kind !== "invalid") {
    return undefined;
  }

  const found = refusal.fields.find(({ field }) => root(field) === name);

  return found === undefined ? undefined : sentence(found.message);
}

/* messages about fields that the form does not have */
export function otherMessages(
  refusal: Refusal | undefined,
  names: readonly string[],
): string[] {
  return refusal?.kind !== "invalid"
    ? []
    : refusal.fields
        .filter(({ field }) => !names.includes(root(field)))
        .map(({ field, message }) => `${field} ${message}`);
}

function root(field: string): string {
  return /^[^.[]*/.exec(field)?.[0] ?? field;
}

/* "is required" → "Is required." */
export function sentence(text: string): string {
  const first = text.slice(0, 1).toUpperCase() + text.slice(1);

  return /[.!?]$/.test(first) ? first : `${first}.`;
}
