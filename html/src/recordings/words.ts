/* Times, sizes and causes, as people say them. */

import { DAY, HOUR, MINUTE, SECOND, type Span } from "./view";

const CAUSES: Record<string, string> = {
  network: "The connection to the camera was lost",
  camera: "The camera sent nothing usable",
  restart: "The recorder was not running",
  disk: "The disk was full or failed",
  shed: "There was too much to do",
  schedule: "Not in the schedule",
  key: "There was no key to encrypt with",
};

/* one that is not known yet says its own name */
export function causeWords(cause: string): string {
  return CAUSES[cause] ?? `Not recorded (${cause})`;
}

export function time(at: number, withSeconds = true): string {
  return new Date(at).toLocaleTimeString(undefined, {
    hour: "2-digit",
    minute: "2-digit",
    ...(withSeconds ? { second: "2-digit" } : {}),
  });
}

export function date(at: number): string {
  return new Date(at).toLocaleDateString(undefined, {
    weekday: "short",
    day: "numeric",
    month: "short",
  });
}

export function times(span: Span): string {
  return `${time(span.from)} – ${time(span.to)}`;
}

/* 3 723 000 → 1 h 2 min */
export function duration(ms: number): string {
  const n = Math.max(0, ms);

  if (n < MINUTE) {
    return `${Math.round(n / SECOND)} s`;
  }

  if (n < HOUR) {
    const seconds = Math.round((n % MINUTE) / SECOND);

    return parts(Math.floor(n / MINUTE), "min", seconds, "s");
  }

  return n < DAY
    ? parts(Math.floor(n / HOUR), "h", Math.floor((n % HOUR) / MINUTE), "min")
    : parts(Math.floor(n / DAY), "d", Math.floor((n % DAY) / HOUR), "h");
}

export function bytes(n: number): string {
  const units = ["bytes", "kB", "MB", "GB", "TB", "PB"];
  let value = n;
  let unit = 0;

  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }

  const digits = unit === 0 || value >= 99.5 ? 0 : value >= 9.95 ? 1 : 2;

  return `${value.toFixed(digits)} ${units[unit]}`;
}

function parts(a: number, one: string, b: number, two: string): string {
  return b === 0 ? `${a} ${one}` : `${a} ${one} ${b} ${two}`;
}
