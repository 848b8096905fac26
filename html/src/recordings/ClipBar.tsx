/* The range that is chosen on the timeline, to the second, and its export. */

import { useState } from "react";
import { useServices } from "../app/services";
import { Button } from "../design/Button";
import { RefusalNotice } from "../design/Notice";
import { useToast } from "../design/Toasts";
import type { Refusal } from "../outcome";
import type { Camera } from "../types";
import { range, type Recorded, recordedWithin } from "./timeline";
import { useRenewRecordings } from "./useRenew";
import { lengthOf, type Span } from "./view";
import { date, duration } from "./words";

interface ClipProps {
  camera: Camera;
  selection: Span;
  recorded: Recorded;
  now: number;
  onSelection: (selection: Span | undefined) => void;
}

export function ClipBar(props: ClipProps) {
  const { camera, selection, recorded, now, onSelection } = props;
  const { api } = useServices();
  const say = useToast();
  const renew = useRenewRecordings();
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<Refusal>();
  const has = recordedWithin(recorded, selection);

  const create = async () => {
    setBusy(true);
    const outcome = await api.recordings.addExport({
      cameraId: camera.id,
      from: new Date(selection.from).toISOString(),
      to: new Date(selection.to).toISOString(),
    });
    setBusy(false);

    if (outcome.kind === "ok") {
      say("The export is being made.");
      renew(camera.id);
      onSelection(undefined);
    } else {
      setRefusal(outcome);
    }
  };

  return (
    <div className="clip" role="group" aria-label="Range to export">
      <TimeField
        label="From"
        at={selection.from}
        onChange={(at) => onSelection(range(at, selection.to, now))}
      />
      <TimeField
        label="To"
        at={selection.to}
        onChange={(at) => onSelection(range(selection.from, at, now))}
      />
      <p className="clip-note" role="status">
        {date(selection.from)}, {duration(lengthOf(selection))}
        {has === 0
          ? "; nothing was recorded in it"
          : has < lengthOf(selection) - 2000 &&
            `; ${duration(has)} of it recorded`}
      </p>
      <span className="recordings-space" />
      <Button small look="quiet" onClick={() => onSelection(undefined)}>
        Cancel
      </Button>
      <Button
        small
        look="primary"
        icon="download"
        busy={busy}
        disabled={has === 0}
        onClick={() => void create()}
      >
        Make one file
      </Button>
      {refusal !== undefined && <RefusalNotice refusal={refusal} />}
    </div>
  );
}

function TimeField(props: {
  label: string;
  at: number;
  onChange: (at: number) => void;
}) {
  const { label, at, onChange } = props;

  return (
    <label className="clip-field">
      <span>{label}</span>
      <input
        className="input"
        type="time"
        step={1}
        value={clock(at)}
        onChange={(event) => {
          const next = onSameDay(at, event.target.value);

          if (next !== undefined) {
            onChange(next);
          }
        }}
      />
    </label>
  );
}

function clock(at: number): string {
  const date = new Date(at);

  return [date.getHours(), date.getMinutes(), date.getSeconds()]
    .map((n) => String(n).padStart(2, "0"))
    .join(":");
}

function onSameDay(at: number, text: string): number | undefined {
  const [hours, minutes, seconds = 0] = text.split(":").map(Number);
  const date = new Date(at);

  return hours === undefined || minutes === undefined || Number.isNaN(hours)
    ? undefined
    : date.setHours(hours, minutes, seconds, 0);
}
