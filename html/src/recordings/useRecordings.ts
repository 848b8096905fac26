/*
 * Which day and which part of it is looked at, and what was recorded then.
 *
 *   last     the last hour (or six), which moves on with the time [showLast]
 *   viewed   a part of the day that somebody chose [show, showDay, showAt]
 */

import { useCallback, useMemo, useRef, useState } from "react";
import { useStreamState } from "../queries";
import { runs, toRecorded } from "./model";
import { useTimeline } from "./queries";
import { NOTHING } from "./timeline";
import { useNow } from "./useNow";
import { around, dayOf, HOUR, lengthOf, type Span, within } from "./view";

const TICK_MS = 2000;
const BEFORE_MS = 6 * HOUR; // of today, shortly after midnight

type Looked =
  | { kind: "last"; length: number }
  | { kind: "viewed"; day: number; view: Span };

export type Recordings = ReturnType<typeof useRecordings>;

export function useRecordings(cameraId: string) {
  const now = useNow(TICK_MS);
  const [looked, setLooked] = useState<Looked>({ kind: "last", length: HOUR });
  const today = dayOf(now);
  const day = looked.kind === "last" ? today : dayOf(looked.day);
  const isToday = day.from === today.from;
  const limits = limitsOf(day, isToday);
  const query = useTimeline(cameraId, limits, isToday);
  const running = useStreamState(cameraId).data?.recording;
  const kept = useRef<Span[]>([]);
  const view =
    looked.kind === "last" ? lastOf(now, looked.length) : looked.view;

  const recorded = useMemo(() => {
    kept.current = runs(kept.current, running, now);

    return query.data === undefined
      ? NOTHING
      : toRecorded(query.data, isToday ? kept.current : [], now);
  }, [query.data, running, isToday, now]);

  const show = useCallback(
    (next: Span) =>
      setLooked({ kind: "viewed", day: day.from, view: next }),
    [day.from],
  );

  /* brings the moment into view, on another day if need be */
  const showAt = (at: number, length = lengthOf(view)) => {
    const on = dayOf(at);
    const bounds = limitsOf(on, on.from === today.from);

    setLooked({
      kind: "viewed",
      day: on.from,
      view: around(at, length, bounds),
    });
  };

  return {
    now,
    day,
    isToday,
    limits,
    view,
    recorded,
    query,
    follows: looked.kind === "last",
    show,
    showAt,
    showLast: (length = HOUR) => setLooked({ kind: "last", length }),
    showDay: (at: number) =>
      setLooked({ kind: "viewed", day: dayOf(at).from, view: dayOf(at) }),
  };
}

function limitsOf(day: Span, isToday: boolean): Span {
  return isToday ? { from: day.from - BEFORE_MS, to: day.to } : day;
}

function lastOf(now: number, length: number): Span {
  return { from: now - length, to: now + length / 40 };
}

/* a moment that left the view is followed, as one turns a page */
export function paged(view: Span, at: number, limits: Span): Span | undefined {
  return at >= view.from && at <= view.to
    ? undefined
    : within(
        { from: at - lengthOf(view) / 8, to: at + (lengthOf(view) * 7) / 8 },
        limits,
      );
}
