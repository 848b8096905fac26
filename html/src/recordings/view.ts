/*
 * What stretch of time a timeline shows, and how times become places in it.
 * Times are Unix milliseconds; days and hours are those of the viewer's clock,
 * so a day may have 23 or 25 hours.
 */

export interface Span {
  from: number;
  to: number;
}

export interface Tick {
  at: number;
  strong: boolean; // begins a day, or an hour among minutes
}

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

const SHORTEST_MS = 2 * MINUTE;
const TICK_PX = 84; // a label has room
const FINE_TICK_PX = 112; // one with seconds

const STEPS = [
  SECOND,
  5 * SECOND,
  15 * SECOND,
  30 * SECOND,
  MINUTE,
  5 * MINUTE,
  10 * MINUTE,
  15 * MINUTE,
  30 * MINUTE,
  HOUR,
  2 * HOUR,
  3 * HOUR,
  6 * HOUR,
  12 * HOUR,
  DAY,
];

export function toX(view: Span, width: number, at: number): number {
  return ((at - view.from) / (view.to - view.from)) * width;
}

export function toTime(view: Span, width: number, x: number): number {
  return view.from + (x / Math.max(width, 1)) * (view.to - view.from);
}

export function lengthOf(span: Span): number {
  return span.to - span.from;
}

/* the whole of it stays within the limits, and no longer than they are */
export function within(view: Span, limits: Span): Span {
  const length = Math.min(lengthOf(view), lengthOf(limits));
  const from = Math.min(Math.max(view.from, limits.from), limits.to - length);

  return { from, to: from + length };
}

/* `around` stays where it is, a factor below one shows less */
export function zoomed(
  view: Span,
  factor: number,
  around: number,
  limits: Span,
): Span {
  const length = Math.max(lengthOf(view) * factor, SHORTEST_MS);
  const share = (around - view.from) / lengthOf(view);
  const from = around - share * length;

  return within({ from, to: from + length }, limits);
}

export function moved(view: Span, by: number, limits: Span): Span {
  return within({ from: view.from + by, to: view.to + by }, limits);
}

/* of that length, `at` in its middle */
export function around(at: number, length: number, limits: Span): Span {
  return within({ from: at - length / 2, to: at + length / 2 }, limits);
}

/* from midnight to midnight, `days` after the one that has `at` */
export function dayOf(at: number, days = 0): Span {
  const date = new Date(at);
  const midnight = (more: number) =>
    new Date(
      date.getFullYear(),
      date.getMonth(),
      date.getDate() + days + more,
    ).getTime();

  return { from: midnight(0), to: midnight(1) };
}

export function ticks(view: Span, width: number): Tick[] {
  const fits = (one: number) =>
    lengthOf(view) / one <=
    Math.max(1, width / (one < MINUTE ? FINE_TICK_PX : TICK_PX));
  const step = STEPS.find(fits) ?? STEPS.at(-1) ?? DAY;
  const all: Tick[] = [];

  for (let n = first(view, step); ; n++) {
    const at = tickAt(view, step, n);

    if (at > view.to) {
      return all;
    }

    if (at >= view.from && at > (all.at(-1)?.at ?? -Infinity)) {
      all.push({ at, strong: isStrong(at, step) });
    }
  }
}

function first(view: Span, step: number): number {
  return Math.max(0, Math.floor((view.from - dayOf(view.from).from) / step) - 2);
}

/*
 * Ticks of hours follow the clock on the wall over the change to and from
 * summer time; those of minutes count on, for the hour that comes twice has
 * them twice.
 */
function tickAt(view: Span, step: number, n: number): number {
  const midnight = dayOf(view.from).from;

  if (step < HOUR) {
    return midnight + n * step;
  }

  const date = new Date(midnight);

  return new Date(
    date.getFullYear(),
    date.getMonth(),
    date.getDate(),
    0,
    (n * step) / MINUTE,
  ).getTime();
}

function isStrong(at: number, step: number): boolean {
  const date = new Date(at);

  return step < HOUR
    ? date.getMinutes() === 0 && date.getSeconds() === 0
    : date.getHours() === 0;
}
