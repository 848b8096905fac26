/* Add a group, or give one another name. */

import { useState } from "react";
import { useKey } from "../add/attempt";
import { useServices } from "../app/services";
import { useSaving } from "../app/useSaving";
import { Button } from "../design/Button";
import { Dialog } from "../design/Dialog";
import { Area, Field } from "../design/Field";
import { RefusalNotice } from "../design/Notice";
import type { Refusal } from "../outcome";
import type { CameraGroup } from "../types";
import {
  EMPTY,
  type GroupForm,
  groupMessage,
  isTaken,
  toCreate,
  toForm,
  toUpdate,
} from "./words";

export function AddGroupDialog({ onClose }: { onClose: () => void }) {
  const { api } = useServices();
  const [form, setForm] = useState(EMPTY);
  const keyOf = useKey();
  const { busy, refusal, save } = useSaving("groups", "Group added.", onClose);

  const add = () => {
    const body = toCreate(form);

    return api.groups.create(body, keyOf(body));
  };

  return (
    <Dialog
      title="Add group"
      onClose={onClose}
      onSubmit={() => void save(add)}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            type="submit"
            look="primary"
            busy={busy}
            disabled={form.name.trim() === ""}
          >
            Add group
          </Button>
        </>
      }
    >
      <GroupFields form={form} onChange={setForm} refusal={refusal} />
    </Dialog>
  );
}

interface EditProps {
  group: CameraGroup;
  onClose: () => void;
}

export function EditGroupDialog({ group, onClose }: EditProps) {
  const { api } = useServices();
  const [before] = useState(() => toForm(group));
  const [form, setForm] = useState(before);
  const { busy, refusal, save } = useSaving("groups", "Saved.", onClose);
  const update = toUpdate(before, form);

  return (
    <Dialog
      title={`Edit ${group.name}`}
      onClose={onClose}
      onSubmit={() => void save(() => api.groups.update(group.id, update))}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            type="submit"
            look="primary"
            busy={busy}
            disabled={
              form.name.trim() === "" || Object.keys(update).length === 0
            }
          >
            Save
          </Button>
        </>
      }
    >
      <GroupFields form={form} onChange={setForm} refusal={refusal} />
    </Dialog>
  );
}

interface FieldsProps {
  form: GroupForm;
  onChange: (form: GroupForm) => void;
  refusal: Refusal | undefined;
}

function GroupFields({ form, onChange, refusal }: FieldsProps) {
  return (
    <>
      {refusal !== undefined &&
        refusal.kind !== "invalid" &&
        !isTaken(refusal) && <RefusalNotice refusal={refusal} what="group" />}
      <Field
        label="Name"
        name="name"
        autoComplete="off"
        maxLength={100}
        value={form.name}
        error={groupMessage(refusal, "name")}
        onChange={(event) => onChange({ ...form, name: event.target.value })}
      />
      <Area
        label="Description"
        optional
        name="description"
        rows={2}
        maxLength={500}
        value={form.description}
        error={groupMessage(refusal, "description")}
        onChange={(event) =>
          onChange({ ...form, description: event.target.value })
        }
      />
    </>
  );
}
