/* What recordings take: by camera, by day, and how long there is room. */

import { Title } from "../app/Title";
import { ButtonLink } from "../design/Button";
import { Icon } from "../design/Icon";
import { Blank, Refused } from "../design/Notice";
import { refusalOf } from "../outcome";
import { useStorage } from "../recordings/queries";
import { DAY } from "../recordings/view";
import { bytes, duration } from "../recordings/words";
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
  const { bytesTotal, bytesFree } = usage;

  return usage.bytes === 0 ? (
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
        <Figure name="Recorded" text={bytes(usage.bytes)} />
        <Figure name="Grows by" text={`${bytes(usage.growthPerDay)} a day`} />
        <Figure name="Room for" text={daysLeft(usage.daysLeft)} />
        {bytesTotal > 0 && (
          <Figure
            name={`Free, of ${bytes(bytesTotal)}`}
            text={bytes(bytesFree)}
            share={1 - bytesFree / bytesTotal}
          />
        )}
      </dl>
      <section className="card storage-part" aria-labelledby="storage-cameras">
        <h2 id="storage-cameras">Cameras</h2>
        <ByCamera usage={usage} />
      </section>
      {usage.days.length > 0 && (
        <section className="card storage-part" aria-labelledby="storage-days">
          <h2 id="storage-days">Recorded each day</h2>
          <ByDay usage={usage} />
        </section>
      )}
    </div>
  );
}

function Figure(props: { name: string; text: string; share?: number }) {
  const { name, text, share } = props;

  return (
    <div className="card storage-figure">
      <dt>{name}</dt>
      <dd>{text}</dd>
      {share !== undefined && <Bar share={share} />}
    </div>
  );
}

/* the longest bar is the camera that takes the most */
function ByCamera({ usage }: { usage: StorageUsage }) {
  const most = Math.max(1, usage.cameras[0]?.bytes ?? 1);

  return (
    <ul className="storage-bars">
      {usage.cameras.map((one) => (
        <li key={one.cameraId}>
          <a href={href({ kind: "camera", id: one.cameraId })}>{one.name}</a>
          <Bar share={one.bytes / most} />
          <span className="storage-size">{bytes(one.bytes)}</span>
          <span className="storage-length">
            {duration(one.recordedSeconds * 1000)}
          </span>
          <span className="storage-since">since {dayName(one.oldestDay)}</span>
        </li>
      ))}
    </ul>
  );
}

const DAYS = 30;

/* a day that is missing has nothing */
function ByDay({ usage }: { usage: StorageUsage }) {
  const most = Math.max(1, ...usage.days.map((one) => one.bytes));
  const found = new Map(usage.days.map((one) => [one.day, one.bytes]));

  return (
    <ol className="storage-days">
      {lastDays(DAYS).map((day) => {
        const taken = found.get(day) ?? 0;
        const words = `${dayName(day)}: ${bytes(taken)}`;

        return (
          <li key={day} title={words}>
            <span className="for-readers">{words}</span>
            <i
              aria-hidden="true"
              style={{ height: `${taken > 0 ? Math.max(2, (taken / most) * 100) : 0}%` }}
            />
          </li>
        );
      })}
    </ol>
  );
}

/* by the days of UTC, as recordings are counted */
function lastDays(n: number): string[] {
  return Array.from({ length: n }, (_, back) =>
    new Date(Date.now() - (n - 1 - back) * DAY).toISOString().slice(0, 10),
  );
}

function dayName(day: string): string {
  return new Date(`${day}T12:00:00`).toLocaleDateString(undefined, {
    day: "numeric",
    month: "short",
  });
}

function Bar({ share }: { share: number }) {
  return (
    <span className="storage-bar" aria-hidden="true">
      <i style={{ width: `${Math.min(100, Math.max(0.5, share * 100))}%` }} />
    </span>
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
