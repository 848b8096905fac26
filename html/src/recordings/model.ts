/* What the server says of a camera's recordings, as the timeline takes it. */

import type { RecordingTimeline, StreamState } from "../types";
import { joined, type Mark, type Recorded, without } from "./timeline";
import type { Span } from "./view";

/*
 * `running` is what is being recorded: the database hears of it once a minute,
 * its state now is newer.
 */
export function toRecorded(
  timeline: RecordingTimeline,
  running: StreamState["recording"] | undefined,
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
    spans: without(joined([...files, ...spanOf(running)]), gaps),
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
