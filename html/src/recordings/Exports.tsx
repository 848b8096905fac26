/* Exports of a camera: how far they are, and their files. */

import { useState } from "react";
import { useServices, useUser } from "../app/services";
import { Button } from "../design/Button";
import { refusalWords } from "../design/Notice";
import { useToast } from "../design/Toasts";
import { type Camera, type Export, may } from "../types";
import { isRunning, useExports } from "./queries";
import { save } from "./save";
import { useRenewRecordings } from "./useRenew";
import { bytes, date, times } from "./words";

export function Exports({ camera }: { camera: Camera }) {
  const { data } = useExports(camera.id);

  return data === undefined || data.length === 0 ? null : (
    <section className="recordings-part" aria-label="Exports">
      <h3>Exports</h3>
      <ul className="rows">
        {data.map((one) => (
          <Row key={one.id} camera={camera} one={one} />
        ))}
      </ul>
    </section>
  );
}

function Row({ camera, one }: { camera: Camera; one: Export }) {
  const { api } = useServices();
  const say = useToast();
  const renew = useRenewRecordings();
  const [busy, setBusy] = useState(false);
  const user = useUser();
  const mayRemove =
    one.createdBy === user.username || may(user, "recordings:delete");
  const span = { from: Date.parse(one.from), to: Date.parse(one.to) };

  const download = async (what: "file" | "manifest") => {
    setBusy(true);
    const outcome = await api.recordings.exportUrl(one.id);
    setBusy(false);

    if (outcome.kind === "ok") {
      const { url, manifestUrl, filename } = outcome.value;

      if (what === "file") {
        save(url, filename);
      } else {
        save(manifestUrl, filename.replace(/\.mp4$/, ".json"));
      }
    } else {
      say(`No file came. ${refusalWords(outcome).title}.`, "bad");
    }
  };

  const remove = async () => {
    setBusy(true);
    const outcome = await api.recordings.removeExport(one.id);
    setBusy(false);

    if (outcome.kind !== "ok") {
      say(`It was not removed. ${refusalWords(outcome).title}.`, "bad");
    }

    renew(camera.id);
  };

  return (
    <li className="row" data-export={one.id} data-state={one.state}>
      <span className="row-name">
        {times(span)}
        <small>{date(span.from)}</small>
      </span>
      <Progress one={one} />
      <span className="row-actions">
        {one.state === "done" && (
          <>
            <Button
              look="quiet"
              small
              title="Proves the file by its checksum, and names what is missing"
              disabled={busy}
              onClick={() => void download("manifest")}
            >
              Manifest
            </Button>
            <Button
              small
              icon="download"
              busy={busy}
              onClick={() => void download("file")}
            >
              Download
            </Button>
          </>
        )}
        {mayRemove && (
          <Button
            look="quiet"
            small
            icon={isRunning(one) ? "close" : "trash"}
            aria-label={isRunning(one) ? "Stop this export" : "Remove this export"}
            disabled={busy}
            onClick={() => void remove()}
          />
        )}
      </span>
    </li>
  );
}

function Progress({ one }: { one: Export }) {
  switch (one.state) {
    case "queued":
    case "running":
      return (
        <span className="row-state">
          <progress
            aria-label="How far the export is"
            max={1}
            value={one.state === "queued" ? undefined : one.progress}
          />
          {one.state === "queued"
            ? "waits for its turn"
            : `${Math.floor(one.progress * 100)} %`}
        </span>
      );
    case "done":
      return (
        <span className="row-state">
          {one.bytes === null ? "" : bytes(one.bytes)}
          {one.gaps !== null && one.gaps > 0 &&
            `, ${one.gaps} ${one.gaps === 1 ? "gap" : "gaps"}`}
        </span>
      );
    case "failed":
      return (
        <span className="row-state" data-tone="bad">
          Failed{one.error === null ? "" : `: ${one.error}`}
        </span>
      );
    default:
      return <span className="row-state">No longer kept</span>;
  }
}
