/*
 * When a camera records, as a week of hours.  One paints with the pointer, or
 * walks with the arrow keys and switches with the space bar.
 */

import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import { useServices } from "../app/services";
import { Button } from "../design/Button";
import { Dialog } from "../design/Dialog";
import { Notice, Refused, RefusalNotice } from "../design/Notice";
import { useToast } from "../design/Toasts";
import { type Refusal, refusalOf } from "../outcome";
import type { Camera, RecordingSchedule } from "../types";
import { useSchedule } from "./queries";
import {
  DAYS,
  emptyWeek,
  hoursOf,
  isWholeHours,
  ORDER,
  painted,
  toWeek,
  toWindows,
  type Week,
} from "./schedule";
import { useRenewRecordings } from "./useRenew";

interface DialogProps {
  camera: Camera;
  onClose: () => void;
}

export function ScheduleDialog({ camera, onClose }: DialogProps) {
  const query = useSchedule(camera.id);

  return query.data === undefined ? (
    <Dialog
      title="Weekly schedule"
      onClose={onClose}
      actions={<Button onClick={onClose}>Close</Button>}
    >
      {query.isError ? (
        <Refused
          refusal={refusalOf(query.error)}
          onRetry={() => void query.refetch()}
        />
      ) : (
        <p className="dialog-text">Looking it up…</p>
      )}
    </Dialog>
  ) : (
    <Editor camera={camera} found={query.data} onClose={onClose} />
  );
}

function Editor(props: DialogProps & { found: RecordingSchedule }) {
  const { camera, found, onClose } = props;
  const { api } = useServices();
  const say = useToast();
  const renew = useRenewRecordings();
  const [week, setWeek] = useState(() =>
    found.windows === null ? always() : toWeek(found.windows),
  );
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<Refusal>();
  const hours = hoursOf(week);
  const timezone = found.timezone ?? ownTimezone();

  const save = async () => {
    setBusy(true);
    const outcome =
      hours === 7 * 24
        ? await api.recordings.removeSchedule(camera.id)
        : await api.recordings.setSchedule(camera.id, {
            timezone,
            windows: toWindows(week),
          });
    setBusy(false);

    if (outcome.kind === "ok") {
      say("The schedule is saved.");
      renew(camera.id);
      onClose();
    } else {
      setRefusal(outcome);
    }
  };

  return (
    <Dialog
      title="Weekly schedule"
      onClose={onClose}
      onSubmit={() => void save()}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" busy={busy}>
            Save
          </Button>
        </>
      }
    >
      <p className="dialog-text">
        {camera.isRecording
          ? "This camera records in the marked hours."
          : "When recording is started, this camera records in the marked hours."}{" "}
        Times of {timezone}.
      </p>
      {refusal !== undefined && <RefusalNotice refusal={refusal} />}
      {found.windows !== null && !isWholeHours(found.windows) && (
        <Notice tone="info" title="It has times within an hour">
          They become whole hours when you save.
        </Notice>
      )}
      <Grid week={week} onWeek={setWeek} />
      <div className="week-foot">
        <span role="status">
          {hours === 168
            ? "All the time"
            : hours === 0
              ? "Never"
              : `${hours} of 168 hours`}
        </span>
        <Button small look="quiet" onClick={() => setWeek(always())}>
          Always
        </Button>
        <Button small look="quiet" onClick={() => setWeek(working())}>
          Working hours
        </Button>
        <Button small look="quiet" onClick={() => setWeek(emptyWeek())}>
          Clear
        </Button>
      </div>
    </Dialog>
  );
}

interface Cell {
  day: number;
  hour: number;
}

function Grid(props: { week: Week; onWeek: (week: Week) => void }) {
  const { week, onWeek } = props;
  const root = useRef<HTMLDivElement>(null);
  const paint = useRef<{ from: Cell; on: boolean; before: Week }>(undefined);
  const [focus, setFocus] = useState<Cell>({ day: 1, hour: 0 });

  useEffect(() => {
    const stop = () => {
      paint.current = undefined;
    };

    document.addEventListener("pointerup", stop);
    return () => document.removeEventListener("pointerup", stop);
  }, []);

  const onKeyDown = (event: KeyboardEvent) => {
    const [right, down] = {
      ArrowLeft: [-1, 0],
      ArrowRight: [1, 0],
      ArrowUp: [0, -1],
      ArrowDown: [0, 1],
    }[event.key] ?? [0, 0];

    if (right !== 0 || down !== 0) {
      const row = (ORDER.indexOf(focus.day) + (down ?? 0) + 7) % 7;
      const next = {
        day: ORDER[row] ?? 0,
        hour: (focus.hour + (right ?? 0) + 24) % 24,
      };

      event.preventDefault();
      setFocus(next);
      root.current
        ?.querySelector<HTMLElement>(`[data-cell="${next.day}-${next.hour}"]`)
        ?.focus();
    }
  };

  return (
    <div
      className="week"
      ref={root}
      role="grid"
      aria-label="Hours that are recorded"
      onKeyDown={onKeyDown}
    >
      <div className="week-row" role="row" aria-hidden="true">
        <span />
        {[0, 6, 12, 18].map((hour) => (
          <span key={hour} className="week-hour">
            {hour}:00
          </span>
        ))}
      </div>
      {ORDER.map((day) => (
        <div key={day} className="week-row" role="row">
          <span className="week-day" role="rowheader">
            {DAYS[day]?.slice(0, 3)}
          </span>
          {week[day]?.map((on, hour) => (
            <button
              key={hour}
              type="button"
              role="gridcell"
              className="week-cell"
              data-cell={`${day}-${hour}`}
              aria-selected={on}
              aria-label={`${DAYS[day]}, ${hour}:00 to ${hour + 1}:00`}
              tabIndex={focus.day === day && focus.hour === hour ? 0 : -1}
              onFocus={() => setFocus({ day, hour })}
              onPointerDown={(event) => {
                event.currentTarget.releasePointerCapture(event.pointerId);
                paint.current = { from: { day, hour }, on: !on, before: week };
                onWeek(painted(week, { day, hour }, { day, hour }, !on));
              }}
              onPointerEnter={() => {
                const now = paint.current;

                if (now !== undefined) {
                  onWeek(painted(now.before, now.from, { day, hour }, now.on));
                }
              }}
              onKeyDown={(event) => {
                if (event.key === " " || event.key === "Enter") {
                  event.preventDefault();
                  onWeek(painted(week, { day, hour }, { day, hour }, !on));
                }
              }}
            />
          ))}
        </div>
      ))}
    </div>
  );
}

function always(): Week {
  return painted(emptyWeek(), { day: 1, hour: 0 }, { day: 0, hour: 23 }, true);
}

function working(): Week {
  return painted(emptyWeek(), { day: 1, hour: 7 }, { day: 5, hour: 18 }, true);
}

function ownTimezone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}
