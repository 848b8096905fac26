/* What the server says of a camera's recordings, as the timeline takes it. */

import type { RecordingTimeline, StreamState } from "../types";
import { joined, type Mark, type Recorded, without } from "./timeline";
import type { Span } from "./view";

const KEPT_MS = 30_000; // a file that ended is in the timeline by then
const LATE_MS = 3000; // what is known of a file's end: its state is polled

/*
 * What is being recorded: the database hears of it once a minute, its state now
 * is newer.  Where a file has just followed another, that says nothing of the one
 * before yet the timeline has not been asked anew, so it is `kept` for a while, up
 * to where the next begins.
 */
export function runs(
  kept: readonly Span[],
  running: StreamState["recording"] | undefined,
  now: number,
): Span[] {
  const [run] = spanOf(running);
  const before = kept.filter(
    ({ from, to }) => from !== run?.from && to > now - KEPT_MS,
  );

  if (run === undefined) {
    return before;
  }

  return [
    ...before.map(({ from, to }) => ({
      from,
      to: run.from - to < LATE_MS ? run.from : to,
    })),
    run,
  ];
}

export function toRecorded(
  timeline: RecordingTimeline,
  running: readonly Span[],
  now: number,
): Recorded {
  const gaps = timeline.gaps
    .map(({ start, end, cause }) => ({
      from: Date.parse(start),
      to: end === null ? now : Date.parse(end),
      cause,
    }))
    .sort((a, b) => a.from - b.from);

  const files = timeline.segments.map(({ start, end }) => ({
    from: Date.parse(start),
    to: Date.parse(end),
  }));

  return {
    spans: without(joined([...files, ...running]), gaps),
    gaps,
    marks: timeline.markers.map(toMark),
  };
}

function toMark(marker: RecordingTimeline["markers"][number]): Mark {
  return {
    id: marker.id,
    at: Date.parse(marker.time),
    until: marker.until === null ? undefined : Date.parse(marker.until),
    label: marker.label,
    type: marker.type,
  };
}

function spanOf(running: StreamState["recording"] | undefined): Span[] {
  return running?.startTime == null || running.endTime == null
    ? []
    : [
        {
          from: Date.parse(running.startTime),
          to: Date.parse(running.endTime),
        },
      ];
}
