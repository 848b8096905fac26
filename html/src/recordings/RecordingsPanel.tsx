/*
 * What was recorded of a camera: its timeline, what one can do at a moment of
 * it, and beneath it exports and the files of the day.
 */

import { useState } from "react";
import { useMay } from "../app/services";
import { Button } from "../design/Button";
import { Notice, refusalWords } from "../design/Notice";
import { refusalOf } from "../outcome";
import type { Camera } from "../types";
import { BookmarkDialog, Bookmarks } from "./Bookmarks";
import { ClipBar } from "./ClipBar";
import { DayPicker, percent } from "./DayPicker";
import { Exports } from "./Exports";
import { Files } from "./Files";
import { RecordControls } from "./RecordControls";
import { Timeline } from "./Timeline";
import { firstRange, range, recordedWithin } from "./timeline";
import type { Recordings } from "./useRecordings";
import { HOUR, lengthOf, type Span } from "./view";
import { causeWords } from "./words";
import "./recordings.css";

interface PanelProps {
  camera: Camera;
  recordings: Recordings;
  at: number | undefined; // undefined: live
  onSeek: (at: number) => void;
  onLive: () => void;
}

export function RecordingsPanel(props: PanelProps) {
  const { camera, recordings, at, onSeek } = props;
  const { now, view, recorded, query } = recordings;
  const [selection, setSelection] = useState<Span>();
  const [marking, setMarking] = useState<number>();
  const writes = useMay("cameras:write");
  const shown = at ?? now;

  return (
    <section className="card recordings" aria-labelledby="recordings-title">
      <header className="recordings-head">
        <h2 id="recordings-title">Recordings</h2>
        <RecordControls camera={camera} />
      </header>

      <div className="recordings-bar">
        <DayPicker
          cameraId={camera.id}
          day={recordings.day}
          now={now}
          onDay={recordings.showDay}
        />
        <Zoom recordings={recordings} at={at} />
        <span className="recordings-space" />
        {writes && (
          <Button small icon="bookmark" onClick={() => setMarking(shown)}>
            Bookmark
          </Button>
        )}
        <Button
          small
          icon="clip"
          aria-pressed={selection !== undefined}
          onClick={() =>
            setSelection(
              selection === undefined ? firstRange(view, shown, now) : undefined,
            )
          }
        >
          Export
        </Button>
      </div>

      {query.isError && query.data === undefined ? (
        <Notice tone="warn" title={refusalWords(refusalOf(query.error)).title}>
          What was recorded is not known now. It is asked again by itself.
        </Notice>
      ) : (
        <>
          <Timeline
            recorded={recorded}
            view={view}
            limits={recordings.limits}
            now={now}
            at={at}
            selection={selection}
            busy={query.isPending}
            onView={recordings.show}
            onSeek={onSeek}
            onSelection={(a, b) => setSelection(range(a, b, now))}
          />
          <Summary recordings={recordings} />
        </>
      )}

      {selection !== undefined && (
        <ClipBar
          camera={camera}
          selection={selection}
          recorded={recorded}
          now={now}
          onSelection={setSelection}
        />
      )}

      <Exports camera={camera} />
      <Bookmarks camera={camera} recorded={recorded} onSeek={onSeek} />
      <Files camera={camera} day={recordings.day} onSeek={onSeek} />

      {marking !== undefined && (
        <BookmarkDialog
          camera={camera}
          at={marking}
          onClose={() => setMarking(undefined)}
        />
      )}
    </section>
  );
}

const LENGTHS = [
  { name: "1 h", label: "One hour", length: HOUR },
  { name: "6 h", label: "Six hours", length: 6 * HOUR },
  { name: "24 h", label: "The whole day", length: undefined },
];

function Zoom(props: { recordings: Recordings; at: number | undefined }) {
  const { recordings, at } = props;
  const { view, day, isToday } = recordings;

  const choose = (length: number | undefined) => {
    if (length === undefined) {
      recordings.showDay(day.from);
    } else if (at === undefined && isToday) {
      recordings.showLast(length);
    } else {
      recordings.showAt(at ?? (view.from + view.to) / 2, length);
    }
  };

  const name =
    at === undefined ? "Show the last hour" : "Show the moment that plays";

  /* the last hour shows a little of what is to come */
  const isShown = (length: number | undefined) =>
    length === undefined
      ? view.from === day.from && view.to === day.to
      : Math.abs(lengthOf(view) - length) <= length / 40 + 1;

  return (
    <>
      <div className="segments" role="group" aria-label="How much is shown">
        {LENGTHS.map(({ name, label, length }) => (
          <button
            key={name}
            type="button"
            aria-label={label}
            aria-pressed={isShown(length)}
            onClick={() => choose(length)}
          >
            {name}
          </button>
        ))}
      </div>
      {!(recordings.follows && at === undefined) && (
        <Button
          look="quiet"
          small
          icon="clock"
          aria-label={name}
          title={name}
          onClick={() =>
            at === undefined ? recordings.showLast() : recordings.showAt(at)
          }
        />
      )}
    </>
  );
}

/* in words what the picture shows, for those who do not see it, too */
function Summary({ recordings }: { recordings: Recordings }) {
  const { recorded, view, now, query } = recordings;
  const past = { from: view.from, to: Math.min(view.to, now) };
  const share =
    lengthOf(past) > 0 ? recordedWithin(recorded, past) / lengthOf(past) : 0;
  const causes = new Set(
    recorded.gaps
      .filter((gap) => gap.to > view.from && gap.from < view.to)
      .map(({ cause }) => cause),
  );

  if (query.isPending) {
    return <p className="recordings-summary">Looking up what was recorded…</p>;
  }

  return (
    <p className="recordings-summary" role="status">
      {share === 0 ? (
        <span>Nothing was recorded in this time.</span>
      ) : (
        <span>
          <i data-cause="recorded" aria-hidden="true" />
          {percent(Math.min(1, share))} of this time recorded
        </span>
      )}
      {[...causes].map((cause) => (
        <span key={cause}>
          <i data-cause={cause} aria-hidden="true" />
          {causeWords(cause)}
        </span>
      ))}
    </p>
  );
}
