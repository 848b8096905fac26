/*
 * What was recorded of a camera, and what was not and why: spans of time, in
 * their order.  Nothing here draws; Timeline.tsx does.
 */

import { lengthOf, type Span, toX } from "./view";

export interface Gap extends Span {
  cause: string;
}

export interface Mark {
  id: string;
  at: number;
  until: number | undefined;
  label: string;
  type: string; // bookmark, alert, motion
}

export interface Recorded {
  spans: Span[];
  gaps: Gap[];
  marks: Mark[];
}

export type Place =
  | { kind: "recorded" }
  | { kind: "gap"; cause: string }
  | { kind: "nothing" } // nobody wanted it, or it was deleted
  | { kind: "future" };

export const NOTHING: Recorded = { spans: [], gaps: [], marks: [] };

/* files follow each other within this */
const JOIN_MS = 1000;

/* a touch is drawn so wide at least, or an hour of a month would vanish */
const THIN_PX = 1.5;

export function placeAt(recorded: Recorded, at: number, now: number): Place {
  if (at > now) {
    return { kind: "future" };
  }

  if (find(recorded.spans, at) !== undefined) {
    return { kind: "recorded" };
  }

  const gap = find(recorded.gaps, at);

  return gap === undefined
    ? { kind: "nothing" }
    : { kind: "gap", cause: gap.cause };
}

/*
 * Where playing begins when somebody points at `at`: there, or where what was
 * recorded goes on behind it, or at the end of what is there.
 */
export function playable(recorded: Recorded, at: number): number | undefined {
  const { spans } = recorded;
  const next = spans.find((span) => span.to > at);

  if (next !== undefined) {
    return Math.max(at, next.from);
  }

  const last = spans.at(-1);

  return last === undefined ? undefined : Math.max(last.from, last.to - 5000);
}

/* milliseconds of the span that were recorded */
export function recordedWithin(recorded: Recorded, span: Span): number {
  return recorded.spans.reduce(
    (sum, one) =>
      sum +
      Math.max(
        0,
        Math.min(one.to, span.to) - Math.max(one.from, span.from),
      ),
    0,
  );
}

/* one span for files that follow each other */
export function joined(spans: readonly Span[]): Span[] {
  const all: Span[] = [];

  for (const { from, to } of [...spans].sort((a, b) => a.from - b.from)) {
    const last = all.at(-1);

    if (last !== undefined && from - last.to <= JOIN_MS) {
      last.to = Math.max(last.to, to);
    } else {
      all.push({ from, to });
    }
  }

  return all;
}

/* a file goes on behind a gap: what it spans was not all recorded */
export function without(spans: readonly Span[], gaps: readonly Span[]): Span[] {
  return gaps.reduce<Span[]>(
    (left, gap) =>
      left.flatMap((span) =>
        gap.to <= span.from || gap.from >= span.to
          ? [span]
          : [
              { from: span.from, to: gap.from },
              { from: gap.to, to: span.to },
            ].filter(({ from, to }) => to > from),
      ),
    [...spans],
  );
}

export interface Bar<T extends Span> {
  x: number;
  width: number;
  span: T;
}

/* what of the spans is in view, as places; none thinner than can be seen */
export function bars<T extends Span>(
  spans: readonly T[],
  view: Span,
  width: number,
): Bar<T>[] {
  return spans
    .filter((span) => span.to > view.from && span.from < view.to)
    .map((span) => {
      const x = Math.max(0, toX(view, width, span.from));
      const end = Math.min(width, toX(view, width, span.to));

      return { x, width: Math.max(THIN_PX, end - x), span };
    });
}

/* a range to export: in order, not empty, and not of the future */
export function range(a: number, b: number, now: number): Span {
  const from = Math.min(a, b, now - 1000);

  return { from, to: Math.max(from + 1000, Math.min(Math.max(a, b), now)) };
}

/* two minutes about `at`, less in a short view; the last ones of what is live */
export function firstRange(view: Span, at: number, now: number): Span {
  const half = Math.min(lengthOf(view) / 6, 60_000);
  const middle = Math.min(at, now - half);

  return range(middle - half, middle + half, now);
}

function find<T extends Span>(spans: readonly T[], at: number): T | undefined {
  let low = 0;
  let high = spans.length;

  while (low < high) {
    const middle = (low + high) >> 1;

    if ((spans[middle]?.from ?? 0) <= at) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }

  const span = spans[low - 1];

  return span !== undefined && at < span.to ? span : undefined;
}
