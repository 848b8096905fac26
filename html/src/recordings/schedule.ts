/*
 * When a camera records, as a grid of hours that one can paint on.  The server
 * keeps windows: a day of the week, 0 is Sunday, and two times of the clock.
 */

export interface Window {
  day: number;
  from: string; // HH:MM
  to: string; // HH:MM, or 24:00
}

export type Week = boolean[][]; // [day][hour]

export const DAYS = [
  "Sunday",
  "Monday",
  "Tuesday",
  "Wednesday",
  "Thursday",
  "Friday",
  "Saturday",
];

/* Monday first, as most of the world writes its weeks */
export const ORDER = [1, 2, 3, 4, 5, 6, 0];

export function emptyWeek(): Week {
  return DAYS.map(() => Array.from({ length: 24 }, () => false));
}

/* an hour that is recorded in part is shown as recorded */
export function toWeek(windows: readonly Window[]): Week {
  const week = emptyWeek();

  for (const { day, from, to } of windows) {
    for (let hour = 0; hour < 24; hour++) {
      const row = week[day];

      if (
        row !== undefined &&
        minutes(from) < (hour + 1) * 60 &&
        minutes(to) > hour * 60
      ) {
        row[hour] = true;
      }
    }
  }

  return week;
}

export function toWindows(week: Week): Window[] {
  return week.flatMap((row, day) => {
    const windows: Window[] = [];

    for (let hour = 0; hour < 24; hour++) {
      const last = windows.at(-1);

      if (row[hour] !== true) {
        continue;
      }

      if (last !== undefined && last.to === clock(hour)) {
        last.to = clock(hour + 1);
      } else {
        windows.push({ day, from: clock(hour), to: clock(hour + 1) });
      }
    }

    return windows;
  });
}

/* the grid cannot show a window that begins or ends within an hour */
export function isWholeHours(windows: readonly Window[]): boolean {
  return windows.every(
    ({ from, to }) => minutes(from) % 60 === 0 && minutes(to) % 60 === 0,
  );
}

export function painted(
  week: Week,
  a: { day: number; hour: number },
  b: { day: number; hour: number },
  on: boolean,
): Week {
  const rows = [ORDER.indexOf(a.day), ORDER.indexOf(b.day)];
  const isIn = (n: number, one: number, two: number) =>
    n >= Math.min(one, two) && n <= Math.max(one, two);

  return week.map((row, day) =>
    row.map((before, hour) =>
      isIn(ORDER.indexOf(day), rows[0] ?? 0, rows[1] ?? 0) &&
      isIn(hour, a.hour, b.hour)
        ? on
        : before,
    ),
  );
}

export function hoursOf(week: Week): number {
  return week.flat().filter(Boolean).length;
}

function minutes(text: string): number {
  const [hours = 0, rest = 0] = text.split(":").map(Number);

  return hours * 60 + rest;
}

function clock(hour: number): string {
  return `${String(hour).padStart(2, "0")}:00`;
}
