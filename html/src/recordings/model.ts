/* What the server says of a camera's recordings, as the timeline takes it. */

import type { RecordingTimeline, StreamState } from "../types";
import { joined, type Mark, type Recorded } from "./timeline";

export function toRecorded(timeline: RecordingTimeline, now: number): Recorded {
  return {
    spans: joined(
      timeline.segments.map(({ start, end }) => ({
        from: Date.parse(start),
        to: Date.parse(end),
      })),
    ),
    gaps: timeline.gaps
      .map(({ start, end, cause }) => ({
        from: Date.parse(start),
        to: end === null ? now : Date.parse(end),
        cause,
      }))
      .sort((a, b) => a.from - b.from),
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

/* the database hears of a running file once a minute, its state now is newer */
export function withRunning(
  recorded: Recorded,
  running: StreamState["recording"] | undefined,
): Recorded {
  if (running?.startTime == null || running.endTime == null) {
    return recorded;
  }

  const span = {
    from: Date.parse(running.startTime),
    to: Date.parse(running.endTime),
  };

  return { ...recorded, spans: joined([...recorded.spans, span]) };
}
