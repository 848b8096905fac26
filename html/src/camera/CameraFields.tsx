/* The fields of a camera, to add one and to change it. */

import { useQueryClient } from "@tanstack/react-query";
import { type ChangeEvent, useId } from "react";
import { Area, Check, Field } from "../design/Field";
import { fieldMessage } from "../messages";
import type { Refusal } from "../outcome";
import { type CameraList, keys } from "../queries";
import type { Camera } from "../types";
import { type CameraForm, type FormField, LABELS } from "./form";

interface FieldsProps {
  form: CameraForm;
  onChange: (form: CameraForm) => void;
  refusal: Refusal | undefined;
  autoFocus?: boolean;
}

type TextField = Exclude<FormField, "isActive" | "cutAtExpiry">;

export function CameraFields(props: FieldsProps) {
  const { form, onChange, refusal, autoFocus } = props;
  const id = useId();

  const text = (name: TextField, maxLength: number) => ({
    label: LABELS[name],
    name,
    maxLength,
    value: form[name],
    error: messageFor(refusal, name),
    onChange: (event: ChangeEvent<HTMLInputElement | HTMLTextAreaElement>) =>
      onChange({ ...form, [name]: event.target.value }),
  });

  return (
    <>
      <Field
        {...text("name", 100)}
        placeholder="Front door"
        autoFocus={autoFocus === true}
      />
      <div className="pair">
        <Field
          {...text("location", 200)}
          placeholder="Main building"
          list={`${id}-location`}
        />
        <Field {...text("place", 200)} placeholder="Entrance" />
      </div>
      <div className="pair">
        <Field
          {...text("company", 100)}
          placeholder="Axis"
          list={`${id}-company`}
        />
        <Field {...text("model", 100)} placeholder="P3265-LV" />
      </div>
      <Field
        {...text("serialNumber", 100)}
        placeholder="ACCC8EF00001"
        autoCapitalize="none"
        spellCheck={false}
        hint="On its label. It tells two cameras of a kind apart."
      />
      <Known id={`${id}-location`} field="location" />
      <Known id={`${id}-company`} field="company" />
    </>
  );
}

/* what most people never need */
export function CameraExtras(props: FieldsProps & { whole?: boolean }) {
  const { form, onChange, refusal, whole } = props;

  return (
    <>
      {whole === true && (
        <Check
          label="Switched on"
          hint="Off, it may not send: its picture goes dark within a second."
          checked={form.isActive}
          onChange={(event) =>
            onChange({ ...form, isActive: event.target.checked })
          }
        />
      )}
      <Field
        label={LABELS.externalId}
        optional
        name="externalId"
        maxLength={100}
        value={form.externalId}
        error={messageFor(refusal, "externalId")}
        hint="The name your own systems have for it; it serves in every address."
        onChange={(event) =>
          onChange({ ...form, externalId: event.target.value })
        }
      />
      <Field
        label={LABELS.tags}
        optional
        name="tags"
        value={form.tags}
        error={messageFor(refusal, "tags")}
        hint="Words to find it by, with blanks between, like: north gate."
        onChange={(event) => onChange({ ...form, tags: event.target.value })}
      />
      <Area
        label={LABELS.allowedCidrs}
        optional
        name="allowedCidrs"
        rows={2}
        value={form.allowedCidrs}
        error={messageFor(refusal, "allowedCidrs")}
        hint="Addresses it may send from, one on each line, like 192.0.2.0/24. Empty means any."
        onChange={(event) =>
          onChange({ ...form, allowedCidrs: event.target.value })
        }
      />
      <Check
        label="End the stream when its key expires"
        hint="Otherwise an expired key ends no stream, it only starts none."
        checked={form.cutAtExpiry}
        onChange={(event) =>
          onChange({ ...form, cutAtExpiry: event.target.checked })
        }
      />
    </>
  );
}

/* duplicates are found by the server, and belong to a field, too */
function messageFor(
  refusal: Refusal | undefined,
  name: FormField,
): string | undefined {
  if (refusal?.code === "CAMERA_SERIAL_DUPLICATE" && name === "serialNumber") {
    return "Another camera has this serial number.";
  }

  if (refusal?.code === "CAMERA_EXTERNAL_ID_DUPLICATE" && name === "externalId") {
    return "Another camera has this id.";
  }

  return fieldMessage(refusal, name);
}

/* what was written before need not be written differently */
function Known({ id, field }: { id: string; field: "location" | "company" }) {
  const client = useQueryClient();
  const cameras = client
    .getQueriesData<CameraList>({ queryKey: keys.lists })
    .flatMap(([, list]) => list?.pages ?? [])
    .flatMap((page): Camera[] => page.cameras);

  return (
    <datalist id={id}>
      {[...new Set(cameras.map((camera) => camera[field]))].map((value) => (
        <option key={value} value={value} />
      ))}
    </datalist>
  );
}
