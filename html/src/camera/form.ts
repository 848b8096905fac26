/*
 * What a person writes about a camera, and what is sent of it.  A change sends
 * only the fields that differ, so that two people who change different things
 * do not undo each other's.
 */

import type { FieldError } from "../outcome";
import type { Camera, CameraCreate, CameraUpdate } from "../types";

export interface CameraForm {
  name: string;
  company: string;
  model: string;
  serialNumber: string;
  location: string;
  place: string;
  externalId: string;
  tags: string; // with blanks between
  allowedCidrs: string; // one on each line
  isActive: boolean;
  cutAtExpiry: boolean;
}

export type FormField = keyof CameraForm;

export const LABELS: Record<FormField, string> = {
  name: "Name",
  company: "Manufacturer",
  model: "Model",
  serialNumber: "Serial number",
  location: "Location",
  place: "Place",
  externalId: "Your own id",
  tags: "Tags",
  allowedCidrs: "Allowed networks",
  isActive: "Switched on",
  cutAtExpiry: "Ends when its key expires",
};

export const FIELDS = Object.keys(LABELS) as FormField[];

const REQUIRED: readonly FormField[] = [
  "name",
  "location",
  "place",
  "company",
  "model",
  "serialNumber",
];

export const EMPTY: CameraForm = {
  name: "",
  company: "",
  model: "",
  serialNumber: "",
  location: "",
  place: "",
  externalId: "",
  tags: "",
  allowedCidrs: "",
  isActive: true,
  cutAtExpiry: false,
};

export function toForm(camera: Camera): CameraForm {
  return {
    name: camera.name,
    company: camera.company,
    model: camera.model,
    serialNumber: camera.serialNumber,
    location: camera.location,
    place: camera.place,
    externalId: camera.externalId ?? "",
    tags: camera.tags.join(" "),
    allowedCidrs: camera.allowedCidrs.join("\n"),
    isActive: camera.isActive,
    cutAtExpiry: camera.cutAtExpiry,
  };
}

/* found before the server has to; what was empty before may stay so */
export function missing(
  form: CameraForm,
  before?: CameraForm | undefined,
): FieldError[] {
  const all = before === undefined ? REQUIRED : changes(before, form);

  return REQUIRED.filter(
    (name) => all.includes(name) && String(form[name]).trim() === "",
  ).map((field) => ({ field, message: "is required" }));
}

export function toCreate(form: CameraForm): CameraCreate {
  const { externalId, tags, allowedCidrs, ...rest } = values(form);

  return {
    ...rest,
    ...(externalId === null ? {} : { externalId }),
    ...(tags.length === 0 ? {} : { tags }),
    ...(allowedCidrs.length === 0 ? {} : { allowedCidrs }),
  };
}

/* undefined when nothing differs */
export function toUpdate(
  before: CameraForm,
  form: CameraForm,
): CameraUpdate | undefined {
  const all = values(form);
  const changed = changes(before, form);

  return changed.length === 0
    ? undefined
    : Object.fromEntries(changed.map((name) => [name, all[name]]));
}

export function changes(before: CameraForm, after: CameraForm): FormField[] {
  const [one, two] = [values(before), values(after)];

  return FIELDS.filter((name) => String(one[name]) !== String(two[name]));
}

/* what somebody else saved, with what was changed here on top */
export function rebase(
  before: CameraForm,
  mine: CameraForm,
  theirs: CameraForm,
): CameraForm {
  return {
    ...theirs,
    ...Object.fromEntries(
      changes(before, mine).map((name) => [name, mine[name]]),
    ),
  };
}

export function shown(value: string | boolean): string {
  if (typeof value === "boolean") {
    return value ? "yes" : "no";
  }

  return value === "" ? "nothing" : value.split("\n").join(", ");
}

function values(form: CameraForm) {
  return {
    name: form.name.trim(),
    company: form.company.trim(),
    model: form.model.trim(),
    serialNumber: form.serialNumber.trim(),
    location: form.location.trim(),
    place: form.place.trim(),
    externalId: form.externalId.trim() || null,
    tags: words(form.tags),
    allowedCidrs: words(form.allowedCidrs),
    isActive: form.isActive,
    cutAtExpiry: form.cutAtExpiry,
  };
}

function words(text: string): string[] {
  return text.split(/[\s,;]+/).filter((one) => one !== "");
}
