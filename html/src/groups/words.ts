/* What is written about a group, and what is sent of it. */

import { fieldMessage } from "../messages";
import type { Refusal } from "../outcome";
import type { CameraGroup, CameraGroupUpdate } from "../types";

export interface GroupForm {
  name: string;
  description: string;
}

export const EMPTY: GroupForm = { name: "", description: "" };

export function camerasWords(n: number): string {
  return n === 1 ? "1 camera" : `${n} cameras`;
}

export function toForm({ name, description }: CameraGroup): GroupForm {
  return { name, description };
}

export function toCreate(form: GroupForm): GroupForm {
  return { name: form.name.trim(), description: form.description.trim() };
}

/* what differs alone, as somebody else may change the rest */
export function toUpdate(before: GroupForm, form: GroupForm): CameraGroupUpdate {
  const { name, description } = toCreate(form);

  return {
    ...(name !== before.name && { name }),
    ...(description !== before.description && { description }),
  };
}

/* a name that another group has is said at its field, too */
export function groupMessage(
  refusal: Refusal | undefined,
  name: keyof GroupForm,
): string | undefined {
  return name === "name" && isTaken(refusal)
    ? "Another group has it."
    : fieldMessage(refusal, name);
}

export function isTaken(refusal: Refusal | undefined): boolean {
  return refusal?.kind === "conflict" && refusal.code === "NAME_DUPLICATE";
}
