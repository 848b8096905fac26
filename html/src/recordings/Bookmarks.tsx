/* Bookmarks of the day that is looked at, and a new one. */

import { useState } from "react";
import { useMay, useServices } from "../app/services";
import { Button } from "../design/Button";
import { Dialog } from "../design/Dialog";
import { Area, Field } from "../design/Field";
import { RefusalNotice, refusalWords } from "../design/Notice";
import { useToast } from "../design/Toasts";
import { fieldMessage } from "../messages";
import type { Refusal } from "../outcome";
import type { Camera } from "../types";
import type { Recorded } from "./timeline";
import { useRenewRecordings } from "./useRenew";
import { date, time } from "./words";

export function Bookmarks(props: {
  camera: Camera;
  recorded: Recorded;
  onSeek: (at: number) => void;
}) {
  const { camera, recorded, onSeek } = props;
  const { api } = useServices();
  const say = useToast();
  const renew = useRenewRecordings();
  const writes = useMay("cameras:write");
  const all = recorded.marks.filter(({ type }) => type === "bookmark");

  const remove = async (id: string) => {
    const outcome = await api.recordings.removeBookmark(id);

    if (outcome.kind !== "ok") {
      say(`It was not removed. ${refusalWords(outcome).title}.`, "bad");
    }

    renew(camera.id);
  };

  return all.length === 0 ? null : (
    <section className="recordings-part" aria-label="Bookmarks">
      <h3>Bookmarks</h3>
      <ul className="rows">
        {all.map(({ id, at, label }) => (
          <li key={id} className="row" data-bookmark={id}>
            <span className="row-name">
              <button type="button" className="link" onClick={() => onSeek(at)}>
                {time(at)}
              </button>
              {label}
            </span>
            {writes && (
              <Button
                look="quiet"
                small
                icon="trash"
                aria-label={`Remove the bookmark ${label}`}
                onClick={() => void remove(id)}
              />
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

export function BookmarkDialog(props: {
  camera: Camera;
  at: number;
  onClose: () => void;
}) {
  const { camera, at, onClose } = props;
  const { api } = useServices();
  const renew = useRenewRecordings();
  const [label, setLabel] = useState("");
  const [note, setNote] = useState("");
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<Refusal>();

  const add = async () => {
    setBusy(true);
    const outcome = await api.recordings.addBookmark({
      cameraId: camera.id,
      at: new Date(at).toISOString(),
      label: label.trim(),
      ...(note.trim() === "" ? {} : { note: note.trim() }),
    });
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
      title={`Bookmark at ${time(at)}`}
      onClose={onClose}
      onSubmit={() => void add()}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            type="submit"
            look="primary"
            busy={busy}
            disabled={label.trim() === ""}
          >
            Add bookmark
          </Button>
        </>
      }
    >
      <p className="dialog-text">
        {camera.name}, {date(at)}. Others see it, too.
      </p>
      {refusal !== undefined && refusal.kind !== "invalid" && (
        <RefusalNotice refusal={refusal} />
      )}
      <Field
        label="What happened"
        name="label"
        maxLength={200}
        value={label}
        error={fieldMessage(refusal, "label")}
        onChange={(event) => setLabel(event.target.value)}
      />
      <Area
        label="Note"
        optional
        name="note"
        rows={3}
        maxLength={2000}
        value={note}
        error={fieldMessage(refusal, "note")}
        onChange={(event) => setNote(event.target.value)}
      />
    </Dialog>
  );
}
