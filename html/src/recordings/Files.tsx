/* The files of a day: each to keep, to download, to remove. */

import { useState } from "react";
import { useMay, useServices } from "../app/services";
import { Button } from "../design/Button";
import { Dialog } from "../design/Dialog";
import { Field } from "../design/Field";
import { Icon } from "../design/Icon";
import { Notice, RefusalNotice, refusalWords } from "../design/Notice";
import { useToast } from "../design/Toasts";
import { type Refusal, refusalOf } from "../outcome";
import type { Camera, Recording } from "../types";
import { useFiles } from "./queries";
import { save } from "./save";
import { useRenewRecordings } from "./useRenew";
import type { Span } from "./view";
import { bytes, duration, times } from "./words";

interface FilesProps {
  camera: Camera;
  day: Span;
  onSeek: (at: number) => void;
}

export function Files(props: FilesProps) {
  const [open, setOpen] = useState(false);

  return (
    <details
      className="recordings-part files"
      onToggle={(event) => setOpen(event.currentTarget.open)}
    >
      <summary>
        <Icon name="forward" size={15} />
        Files of this day
      </summary>
      {open && <List {...props} />}
    </details>
  );
}

function List({ camera, day, onSeek }: FilesProps) {
  const query = useFiles(camera.id, day);

  if (query.data === undefined) {
    return query.isError ? (
      <Notice tone="warn" title={refusalWords(refusalOf(query.error)).title} />
    ) : (
      <p className="recordings-summary">Looking them up…</p>
    );
  }

  return query.data.length === 0 ? (
    <p className="recordings-summary">Nothing was recorded on this day.</p>
  ) : (
    <ul className="rows" aria-busy={query.isPlaceholderData}>
      {query.data.map((one) => (
        <Row key={one.id} camera={camera} one={one} onSeek={onSeek} />
      ))}
    </ul>
  );
}

type Open = "hold" | "remove" | undefined;

function Row(props: {
  camera: Camera;
  one: Recording;
  onSeek: (at: number) => void;
}) {
  const { camera, one, onSeek } = props;
  const { api } = useServices();
  const say = useToast();
  const renew = useRenewRecordings();
  const deletes = useMay("recordings:delete");
  const [open, setOpen] = useState<Open>();
  const span = { from: Date.parse(one.startTime), to: Date.parse(one.endTime) };
  const isOpen = one.state === "recording";

  const download = async () => {
    const outcome = await api.recordings.fileUrl(one.id);

    if (outcome.kind === "ok") {
      save(outcome.value.url, outcome.value.filename);
    } else {
      say(`No file came. ${refusalWords(outcome).title}.`, "bad");
    }
  };

  const release = async () => {
    const outcome = await api.recordings.release(one.id);

    if (outcome.kind !== "ok") {
      say(`It is still held. ${refusalWords(outcome).title}.`, "bad");
    }

    renew(camera.id);
  };

  return (
    <li className="row" data-recording={one.id} data-state={one.state}>
      <span className="row-name">
        <button
          type="button"
          className="link"
          onClick={() => onSeek(span.from)}
        >
          {times(span)}
        </button>
        {one.isLocked && (
          <span className="badge" data-tone="info" title={one.lockedReason ?? ""}>
            <Icon name="lock" size={13} />
            Held
          </span>
        )}
        {one.state === "damaged" && (
          <span className="badge" data-tone="bad">
            Damaged
          </span>
        )}
        {isOpen && (
          <span className="badge" data-tone="bad">
            <i aria-hidden="true" />
            Goes on
          </span>
        )}
      </span>
      <span className="row-state">
        {duration(one.duration * 1000)}, {bytes(one.fileSize)}
      </span>
      <span className="row-actions">
        <Button
          look="quiet"
          small
          icon="download"
          aria-label={`Download ${times(span)}`}
          onClick={() => void download()}
        />
        {deletes && (
          <>
            <Button
              look="quiet"
              small
              icon={one.isLocked ? "unlock" : "lock"}
              aria-label={one.isLocked ? "Release" : "Hold: never remove it"}
              onClick={() => (one.isLocked ? void release() : setOpen("hold"))}
            />
            <Button
              look="quiet"
              small
              icon="trash"
              aria-label={`Remove ${times(span)}`}
              disabled={one.isLocked || isOpen}
              onClick={() => setOpen("remove")}
            />
          </>
        )}
      </span>
      {open === "hold" && (
        <HoldDialog
          camera={camera}
          one={one}
          onClose={() => setOpen(undefined)}
        />
      )}
      {open === "remove" && (
        <RemoveFileDialog
          camera={camera}
          one={one}
          onClose={() => setOpen(undefined)}
        />
      )}
    </li>
  );
}

interface FileDialogProps {
  camera: Camera;
  one: Recording;
  onClose: () => void;
}

function HoldDialog({ camera, one, onClose }: FileDialogProps) {
  const { api } = useServices();
  const renew = useRenewRecordings();
  const [reason, setReason] = useState("");
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<Refusal>();

  const hold = async () => {
    setBusy(true);
    const outcome = await api.recordings.hold(one.id, reason.trim());
    setBusy(false);

    if (outcome.kind === "ok") {
      renew(camera.id);
      onClose();
    } else {
      setRefusal(outcome);
    }
  };

  return (
    <Dialog
      title="Hold this recording"
      onClose={onClose}
      onSubmit={() => void hold()}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            type="submit"
            look="primary"
            icon="lock"
            busy={busy}
            disabled={reason.trim() === ""}
          >
            Hold
          </Button>
        </>
      }
    >
      <p className="dialog-text">
        Nobody and nothing removes it until it is released, even when the disk
        is full.
      </p>
      {refusal !== undefined && <RefusalNotice refusal={refusal} />}
      <Field
        label="Why"
        name="reason"
        maxLength={200}
        value={reason}
        onChange={(event) => setReason(event.target.value)}
      />
    </Dialog>
  );
}

function RemoveFileDialog({ camera, one, onClose }: FileDialogProps) {
  const { api } = useServices();
  const renew = useRenewRecordings();
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<Refusal>();
  const span = { from: Date.parse(one.startTime), to: Date.parse(one.endTime) };

  const remove = async () => {
    setBusy(true);
    const outcome = await api.recordings.remove(one.id);
    setBusy(false);

    if (outcome.kind === "ok" || outcome.kind === "missing") {
      renew(camera.id);
      onClose();
    } else {
      setRefusal(outcome);
    }
  };

  return (
    <Dialog
      title="Remove this recording?"
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Keep it</Button>
          <Button
            look="danger"
            icon="trash"
            busy={busy}
            onClick={() => void remove()}
          >
            Remove
          </Button>
        </>
      }
    >
      <p className="dialog-text">
        {camera.name}, {times(span)}, {bytes(one.fileSize)}. It cannot be
        brought back.
      </p>
      {refusal !== undefined && <RefusalNotice refusal={refusal} />}
    </Dialog>
  );
}
