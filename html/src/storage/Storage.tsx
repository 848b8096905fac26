/* What recordings take: by camera, by disk, and how long there is room. */

import { Title } from "../app/Title";
import { ButtonLink } from "../design/Button";
import { Icon } from "../design/Icon";
import { Blank, Refused, type Tone } from "../design/Notice";
import { refusalOf } from "../outcome";
import { useStorage } from "../recordings/queries";
import { bytes } from "../recordings/words";
import { HOME, href } from "../router";
import type { StorageUsage } from "../types";
import "./storage.css";

export default function Storage() {
  const query = useStorage();

  return (
    <>
      <div className="screen-head camera-head">
        <a className="back" href={href(HOME)} aria-label="All cameras">
          <Icon name="back" size={20} />
        </a>
        <Title text="Storage" />
      </div>
      {query.data !== undefined ? (
        <Usage usage={query.data} />
      ) : query.isError ? (
        <Refused
          refusal={refusalOf(query.error)}
          onRetry={() => void query.refetch()}
        />
      ) : (
        <div className="storage" aria-busy="true" aria-label="Loading">
          <div className="card skeleton skeleton-details" />
        </div>
      )}
    </>
  );
}

function Usage({ usage }: { usage: StorageUsage }) {
  return usage.totalBytes === 0 ? (
    <Blank
      icon="disk"
      title="Nothing is recorded yet"
      actions={<ButtonLink href={href(HOME)}>All cameras</ButtonLink>}
    >
      <p>Recording is started on a camera's own screen.</p>
    </Blank>
  ) : (
    <div className="storage">
      <dl className="storage-facts">
        <Figure name="Recorded" text={bytes(usage.totalBytes)} />
        <Figure name="Grows by" text={`${bytes(usage.growthPerDay)} a day`} />
        <Figure name="Room for" text={daysLeft(usage.daysLeft)} />
      </dl>
      <section className="card storage-part" aria-labelledby="storage-cameras">
        <h2 id="storage-cameras">Cameras</h2>
        <ByCamera usage={usage} />
      </section>
      <section className="card storage-part" aria-labelledby="storage-disks">
        <h2 id="storage-disks">Disks</h2>
        <Disks usage={usage} />
      </section>
    </div>
  );
}

/* the longest bar is the camera that takes the most */
function ByCamera({ usage }: { usage: StorageUsage }) {
  const all = [...usage.cameras].sort((a, b) => b.bytes - a.bytes);
  const most = Math.max(1, all[0]?.bytes ?? 1);

  return (
    <ul className="storage-bars">
      {all.map(({ cameraId, name, bytes: taken, growthPerDay }) => (
        <li key={cameraId}>
          <a href={href({ kind: "camera", id: cameraId })}>{name}</a>
          <Bar share={taken / most} />
          <span className="storage-size">{bytes(taken)}</span>
          <span className="storage-growth">{bytes(growthPerDay)} a day</span>
        </li>
      ))}
    </ul>
  );
}

function Disks({ usage }: { usage: StorageUsage }) {
  return (
    <ul className="storage-bars">
      {usage.volumes.map(({ id, path, state, bytesTotal, bytesFree }) => {
        const words = volumeWords(state);

        return (
          <li key={id}>
            <span className="storage-name">
              <span className="mono">{path}</span>
              <span className="badge" data-tone={words.tone}>
                <i aria-hidden="true" />
                {words.word}
              </span>
            </span>
            <Bar
              share={bytesTotal > 0 ? 1 - bytesFree / bytesTotal : 0}
              tone={words.tone}
            />
            <span className="storage-size">{bytes(bytesFree)} free</span>
            <span className="storage-growth">of {bytes(bytesTotal)}</span>
          </li>
        );
      })}
    </ul>
  );
}

function Bar({ share, tone }: { share: number; tone?: Tone }) {
  return (
    <span className="storage-bar" data-tone={tone} aria-hidden="true">
      <i style={{ width: `${Math.min(100, Math.max(0.5, share * 100))}%` }} />
    </span>
  );
}

/* a disk that is kept full by removing the oldest works as it should */
function volumeWords(state: string): { word: string; tone: Tone } {
  switch (state) {
    case "ok":
      return { word: "Fine", tone: "good" };
    case "low":
      return { word: "Oldest are removed", tone: "info" };
    case "full":
      return { word: "Full", tone: "bad" };
    case "error":
      return { word: "Fails", tone: "bad" };
    default:
      return { word: "Not there", tone: "bad" };
  }
}

function Figure({ name, text }: { name: string; text: string }) {
  return (
    <div className="card storage-figure">
      <dt>{name}</dt>
      <dd>{text}</dd>
    </div>
  );
}

function daysLeft(days: number | null): string {
  return days === null
    ? "not known yet"
    : days < 1
      ? "less than a day"
      : days > 999
        ? "years"
        : `${Math.floor(days)} ${Math.floor(days) === 1 ? "day" : "days"}`;
}
