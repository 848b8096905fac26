/* Keep a grid as a layout with a name, give a layout another one, remove it. */

import { useState } from "react";
import { useKey } from "../add/attempt";
import { useServices } from "../app/services";
import { useSaving } from "../app/useSaving";
import { Button } from "../design/Button";
import { Confirm, Consequence } from "../design/Confirm";
import { Dialog } from "../design/Dialog";
import { Check, Field } from "../design/Field";
import { RefusalNotice } from "../design/Notice";
import { useToast } from "../design/Toasts";
import type { Refusal } from "../outcome";
import { go } from "../router";
import type { Layout } from "../types";
import { type Grid, toLayout } from "./grid";
import { LAYOUTS, useKeepLayout } from "./queries";
import { isTaken, nameMessage } from "./words";

interface KeepProps {
  grid: Grid;
  first: boolean; // there is none yet that opens first
  onClose: () => void;
  onDone?: () => void;
}

export function KeepDialog({ grid, first, onClose, onDone }: KeepProps) {
  const { api } = useServices();
  const { put } = useKeepLayout();
  const [name, setName] = useState("");
  const [isDefault, setDefault] = useState(first);
  const keyOf = useKey();
  const { busy, refusal, save } = useSaving(LAYOUTS, "Layout kept.", onClose);

  const add = async () => {
    const body = { name: name.trim(), layout: toLayout(grid), isDefault };
    const outcome = await api.layouts.create(body, keyOf(body));

    if (outcome.kind === "ok") {
      put(outcome.value);
      onDone?.();
      go({ kind: "wall", id: outcome.value.id });
    }

    return outcome;
  };

  return (
    <Dialog
      title="Keep as a layout"
      onClose={onClose}
      onSubmit={() => void save(add)}
      actions={<Actions busy={busy} ready={name.trim() !== ""} onClose={onClose} />}
    >
      <NameField value={name} onChange={setName} refusal={refusal} />
      <Check
        label="Opens first"
        hint="when you come to the wall; layouts are yours alone"
        name="isDefault"
        checked={isDefault}
        onChange={() => setDefault(!isDefault)}
      />
    </Dialog>
  );
}

interface LayoutProps {
  layout: Layout;
  onClose: () => void;
}

export function RenameDialog({ layout, onClose }: LayoutProps) {
  const { api } = useServices();
  const { put } = useKeepLayout();
  const [name, setName] = useState(layout.name);
  const { busy, refusal, save } = useSaving(LAYOUTS, "Renamed.", onClose);
  const next = name.trim();

  const rename = async () => {
    const outcome = await api.layouts.update(layout.id, { name: next });

    if (outcome.kind === "ok") {
      put(outcome.value);
    }

    return outcome;
  };

  return (
    <Dialog
      title={`Rename ${layout.name}`}
      onClose={onClose}
      onSubmit={() => void save(rename)}
      actions={
        <Actions
          busy={busy}
          ready={next !== "" && next !== layout.name}
          onClose={onClose}
        />
      }
    >
      <NameField value={name} onChange={setName} refusal={refusal} />
    </Dialog>
  );
}

export function RemoveDialog({ layout, onClose }: LayoutProps) {
  const { api } = useServices();
  const { drop } = useKeepLayout();
  const say = useToast();

  return (
    <Confirm
      title={`Remove ${layout.name}?`}
      action="Remove layout"
      what="layout"
      onClose={onClose}
      work={() => api.layouts.remove(layout.id)}
      onDone={() => {
        drop(layout.id);
        say(`${layout.name} was removed.`);
        onClose();
        go({ kind: "wall", id: undefined }, "replace");
      }}
    >
      <ul className="facts">
        <Consequence icon="camera">
          Its cameras and their recordings stay.
        </Consequence>
        {layout.isDefault && (
          <Consequence icon="grid">
            The wall opens with what is online, until another layout opens first.
          </Consequence>
        )}
      </ul>
    </Confirm>
  );
}

function Actions(props: { busy: boolean; ready: boolean; onClose: () => void }) {
  const { busy, ready, onClose } = props;

  return (
    <>
      <Button onClick={onClose}>Cancel</Button>
      <Button type="submit" look="primary" busy={busy} disabled={!ready}>
        Save
      </Button>
    </>
  );
}

interface NameProps {
  value: string;
  onChange: (value: string) => void;
  refusal: Refusal | undefined;
}

function NameField({ value, onChange, refusal }: NameProps) {
  const what = refusal?.code === "CAMERA_NOT_FOUND" ? "camera" : "layout";

  return (
    <>
      {refusal !== undefined &&
        refusal.kind !== "invalid" &&
        !isTaken(refusal) && <RefusalNotice refusal={refusal} what={what} />}
      <Field
        label="Name"
        name="name"
        autoComplete="off"
        maxLength={100}
        value={value}
        error={nameMessage(refusal)}
        onChange={(event) => onChange(event.target.value)}
      />
    </>
  );
}
