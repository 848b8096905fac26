/* A new key: how long the old one goes on, then the new address, this once. */

import { useState } from "react";
import { useServices } from "../app/services";
import { Button } from "../design/Button";
import { Copy } from "../design/Copy";
import { Dialog } from "../design/Dialog";
import { Check } from "../design/Field";
import { Notice, RefusalNotice } from "../design/Notice";
import type { Refusal } from "../outcome";
import type { Camera, StreamKey } from "../types";
import { moment } from "./facts";
import { useRenewCamera } from "./useRenewCamera";

interface KeyProps {
  camera: Camera;
  onClose: () => void;
}

const OVERLAPS: readonly [number, string][] = [
  [0, "not at all"],
  [3600, "for an hour"],
  [86_400, "for a day"],
  [604_800, "for a week"],
];

export function KeyDialog({ camera, onClose }: KeyProps) {
  const { api } = useServices();
  const renew = useRenewCamera();
  const [overlapSeconds, setOverlap] = useState(86_400);
  const [opaque, setOpaque] = useState(false);
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<Refusal>();
  const [key, setKey] = useState<StreamKey>();

  const rotate = async () => {
    setBusy(true);
    const outcome = await api.rotateKey(camera.id, { overlapSeconds, opaque });
    setBusy(false);

    if (outcome.kind === "ok") {
      setKey(outcome.value);
      renew(camera.id);
    } else {
      setRefusal(outcome);
    }
  };

  if (key !== undefined) {
    return <Shown newKey={key} onClose={onClose} />;
  }

  return (
    <Dialog
      title="New key"
      onClose={onClose}
      onSubmit={() => void rotate()}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" icon="key" busy={busy}>
            Make a new key
          </Button>
        </>
      }
    >
      {refusal !== undefined && <RefusalNotice refusal={refusal} />}
      <p className="dialog-text">
        {camera.name} gets a new address to send to. Put it into the camera
        while the old one still works, and no picture is lost.
      </p>
      <fieldset className="choices">
        <legend className="field-label">The old key goes on</legend>
        {OVERLAPS.map(([seconds, words]) => (
          <label key={seconds} className="check">
            <input
              type="radio"
              name="overlap"
              checked={overlapSeconds === seconds}
              onChange={() => setOverlap(seconds)}
            />
            <span>{words}</span>
          </label>
        ))}
      </fieldset>
      <Check
        label="Short key"
        hint="22 letters, for cameras whose field for the address is short."
        checked={opaque}
        onChange={(event) => setOpaque(event.target.checked)}
      />
    </Dialog>
  );
}

function Shown({ newKey, onClose }: { newKey: StreamKey; onClose: () => void }) {
  return (
    <Dialog
      title="The new address"
      onClose={onClose}
      actions={
        <Button look="primary" onClick={onClose}>
          Done
        </Button>
      }
    >
      <Copy label="Address to send to" text={newKey.rtmpUrl} />
      <Notice tone="info" icon="lock" title="It is shown this once">
        Whoever has it can send pictures as this camera.
      </Notice>
      <ul className="facts">
        <li>
          The old key ends {moment(newKey.previousValidUntil)}.
        </li>
        <li>
          {newKey.expiresAt === null
            ? "The new one lives until the next."
            : `The new one is good to start with until ${moment(newKey.expiresAt)}.`}
        </li>
      </ul>
    </Dialog>
  );
}
