/*
 * Change a camera.  It is saved only over the version that was read: when
 * somebody else saved one meanwhile, theirs is fetched, what was changed here
 * is laid on top, and both are told apart before anything is written.
 */

import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useServices } from "../app/services";
import { Button } from "../design/Button";
import { Dialog } from "../design/Dialog";
import { Notice, RefusalNotice } from "../design/Notice";
import { useToast } from "../design/Toasts";
import { otherMessages } from "../messages";
import type { Refusal, Success } from "../outcome";
import { keys } from "../queries";
import type { Camera } from "../types";
import { CameraExtras, CameraFields } from "./CameraFields";
import { useRenewCamera } from "./useRenewCamera";
import {
  type CameraForm,
  changes,
  FIELDS,
  type FormField,
  LABELS,
  missing,
  rebase,
  shown,
  toForm,
  toUpdate,
} from "./form";

interface EditProps {
  found: Success<Camera>;
  onClose: () => void;
}

interface Theirs {
  before: CameraForm;
  after: CameraForm;
  fields: FormField[];
}

export function EditDialog({ found, onClose }: EditProps) {
  const { api } = useServices();
  const client = useQueryClient();
  const renew = useRenewCamera();
  const say = useToast();
  const [base, setBase] = useState(found);
  const [form, setForm] = useState(() => toForm(found.value));
  const [theirs, setTheirs] = useState<Theirs>();
  const [refusal, setRefusal] = useState<Refusal>();
  const [busy, setBusy] = useState(false);
  const { id } = base.value;
  const before = toForm(base.value);

  const save = async () => {
    const update = toUpdate(before, form);
    const fields = missing(form, before);

    if (fields.length > 0) {
      setRefusal(incomplete(fields));
      return;
    }

    if (update === undefined) {
      onClose();
      return;
    }

    setBusy(true);
    const outcome = await api.updateCamera(id, update, base.etag);

    if (outcome.kind === "ok") {
      client.setQueryData(keys.camera(id), outcome);
      renew(id);
      say("Saved.");
      onClose();
    } else if (outcome.kind === "changed") {
      await fetchTheirs();
    } else {
      setRefusal(outcome);
    }

    setBusy(false);
  };

  const fetchTheirs = async () => {
    const outcome = await api.camera(id);

    if (outcome.kind !== "ok") {
      setRefusal(outcome);
      return;
    }

    const after = toForm(outcome.value);

    setTheirs({ before, after, fields: changes(before, after) });
    setForm(rebase(before, form, after));
    setBase(outcome);
    setRefusal(undefined);
  };

  return (
    <Dialog
      title="Edit camera"
      onClose={onClose}
      onSubmit={() => void save()}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" busy={busy}>
            {theirs === undefined ? "Save" : "Save mine on top"}
          </Button>
        </>
      }
    >
      {theirs !== undefined && (
        <Changed
          theirs={theirs}
          onTake={() => {
            setForm(theirs.after);
            setTheirs(undefined);
          }}
        />
      )}
      <Trouble refusal={refusal} />
      <CameraFields form={form} onChange={setForm} refusal={refusal} />
      <CameraExtras whole form={form} onChange={setForm} refusal={refusal} />
    </Dialog>
  );
}

function Changed({ theirs, onTake }: { theirs: Theirs; onTake: () => void }) {
  return (
    <Notice tone="warn" title="Somebody changed this camera meanwhile">
      {theirs.fields.length === 0 ? (
        "None of what stands here is different."
      ) : (
        <ul className="changed">
          {theirs.fields.map((name) => (
            <li key={name}>
              {LABELS[name]}: {shown(theirs.before[name])} →{" "}
              <b>{shown(theirs.after[name])}</b>
            </li>
          ))}
        </ul>
      )}
      <p>What you changed is kept below and not saved yet.</p>
      <Button small onClick={onTake}>
        Drop my changes
      </Button>
    </Notice>
  );
}

/* what belongs to no field */
export function Trouble({ refusal }: { refusal: Refusal | undefined }) {
  if (refusal === undefined) {
    return null;
  }

  if (refusal.kind === "conflict" && refusal.code.endsWith("_DUPLICATE")) {
    return null;
  }

  if (refusal.kind !== "invalid") {
    return <RefusalNotice refusal={refusal} />;
  }

  const others = otherMessages(refusal, FIELDS);

  return others.length === 0 ? null : (
    <Notice tone="bad" title="That cannot be saved">
      {others.join("; ")}
    </Notice>
  );
}

export function incomplete(fields: ReturnType<typeof missing>): Refusal {
  return {
    kind: "invalid",
    fields,
    code: "VALIDATION_FAILED",
    message: "Something is missing.",
    requestId: undefined,
  };
}
