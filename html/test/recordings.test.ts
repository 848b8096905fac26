/* Tests for playing by the clock on the wall, schedules, and their words. */

import { describe, expect, it } from "vitest";
import { mediaAt, type Piece, wallAt } from "../src/player/wall";
import { runs, toRecorded } from "../src/recordings/model";
import {
  emptyWeek,
  hoursOf,
  isWholeHours,
  painted,
  toWeek,
  toWindows,
} from "../src/recordings/schedule";
import { bytes, causeWords, duration } from "../src/recordings/words";

describe("the clock on the wall", () => {
  const T = Date.UTC(2026, 2, 10);
  const pieces: Piece[] = [
    { start: 0, duration: 2, wall: T },
    { start: 2, duration: 2, wall: T + 2000 },
    { start: 4, duration: 2, wall: T + 60_000 }, // behind a gap
  ];

  it("leads into a piece", () => {
    expect(mediaAt(pieces, T)).toBe(0);
    expect(mediaAt(pieces, T + 3500)).toBe(3.5);
    expect(mediaAt(pieces, T + 61_000)).toBe(5);
  });

  it("leads over a gap, and nowhere behind the end", () => {
    expect(mediaAt(pieces, T + 30_000)).toBe(4);
    expect(mediaAt(pieces, T - 30_000)).toBe(0);
    expect(mediaAt(pieces, T + 62_000)).toBeUndefined();
    expect(mediaAt([], T)).toBeUndefined();
  });

  it("is read off what plays", () => {
    expect(wallAt(pieces, 0)).toBe(T);
    expect(wallAt(pieces, 3.999)).toBeCloseTo(T + 3999);
    expect(wallAt(pieces, 4)).toBe(T + 60_000);
    expect(wallAt(pieces, 99)).toBe(T + 62_000);
    expect(wallAt([], 1)).toBeUndefined();
  });
});

describe("what the server says of a day", () => {
  const T = Date.UTC(2026, 2, 10);
  const iso = (seconds: number) => new Date(T + seconds * 1000).toISOString();
  const segment = (from: number, to: number) => ({
    id: "1",
    start: iso(from),
    end: iso(to),
    duration: to - from,
    fileSize: 1,
    state: "complete" as const,
    count: 1,
  });
  const file = (from: number, to: number) => ({
    state: "recording" as const,
    startTime: iso(from),
    endTime: iso(to),
    bytes: 1,
  });
  const timeline = {
    cameraId: "1",
    from: iso(0),
    to: iso(86_400),
    resolution: 0,
    segments: [segment(0, 3600), segment(3600, 3660)],
    gaps: [
      {
        start: iso(60),
        end: iso(90),
        cause: "network" as const,
        duration: 30,
        count: 1,
      },
    ],
    markers: [],
    recording: null,
  };

  it("is what its files span, without the gaps in them", () => {
    expect(toRecorded(timeline, [], T).spans).toEqual([
      { from: T, to: T + 60_000 },
      { from: T + 90_000, to: T + 3_660_000 },
    ]);
  });

  it("goes on with the file that is being written", () => {
    const running = runs([], file(3600, 3700), T + 3_700_000);

    expect(toRecorded(timeline, running, T).spans.at(-1)?.to).toBe(
      T + 3_700_000,
    );
  });

  it("has no hole where a file has just followed another", () => {
    const before = runs([], file(3660, 7258), T + 7_258_000);
    const both = runs(before, file(7260, 7261), T + 7_261_000);

    expect(toRecorded(timeline, both, T).spans.at(-1)).toEqual({
      from: T + 90_000,
      to: T + 7_261_000,
    });
    expect(runs(both, null, T + 7_262_000)).toEqual(both);
    expect(runs(both, file(7260, 7320), T + 7_320_000)).toHaveLength(1);
  });

  it("joins no file to one that ended a while before", () => {
    const before = runs([], file(3660, 7250), T + 7_250_000);
    const both = runs(before, file(7260, 7261), T + 7_261_000);

    expect(both.map(({ to }) => to)).toEqual([T + 7_250_000, T + 7_261_000]);
  });

  it("ends at a gap that lasts", () => {
    const gaps = timeline.gaps.map((gap) => ({ ...gap, end: null }));
    const recorded = toRecorded({ ...timeline, gaps }, [], T + 3_660_000);

    expect(recorded.spans).toEqual([{ from: T, to: T + 60_000 }]);
  });
});

describe("a schedule", () => {
  const windows = [
    { day: 1, from: "08:00", to: "18:00" },
    { day: 6, from: "22:00", to: "24:00" },
  ];

  it("becomes a grid of hours and comes back the same", () => {
    const week = toWeek(windows);

    expect(week[1]?.indexOf(true)).toBe(8);
    expect(week[1]?.lastIndexOf(true)).toBe(17);
    expect(week[6]?.lastIndexOf(true)).toBe(23);
    expect(hoursOf(week)).toBe(12);
    expect(toWindows(week)).toEqual(windows);
    expect(toWindows(emptyWeek())).toEqual([]);
  });

  it("keeps windows apart that do not touch", () => {
    const two = [
      { day: 0, from: "00:00", to: "01:00" },
      { day: 0, from: "05:00", to: "06:00" },
    ];

    expect(toWindows(toWeek(two))).toEqual(two);
  });

  it("shows an hour that is recorded in part, and says so", () => {
    const half = [{ day: 2, from: "08:30", to: "09:15" }];

    expect(hoursOf(toWeek(half))).toBe(2);
    expect(isWholeHours(half)).toBe(false);
    expect(isWholeHours(windows)).toBe(true);
  });

  it("is painted from one corner to the other, Sunday last", () => {
    const week = painted(
      emptyWeek(),
      { day: 0, hour: 3 },
      { day: 6, hour: 1 },
      true,
    );

    expect(hoursOf(week)).toBe(6);
    expect(week[0]?.slice(0, 5)).toEqual([false, true, true, true, false]);
    expect(week[1]?.some(Boolean)).toBe(false);
    expect(
      hoursOf(painted(week, { day: 0, hour: 1 }, { day: 0, hour: 2 }, false)),
    ).toBe(4);
  });
});

describe("words", () => {
  it("for lengths and sizes", () => {
    expect([900, 61_000, 3_723_000, 7_200_000, 90_000_000].map(duration)).toEqual(
      ["1 s", "1 min 1 s", "1 h 2 min", "2 h", "1 d 1 h"],
    );
    expect([0, 999, 1000, 2_340_000, 99_960_000, 5.5e12].map(bytes)).toEqual([
      "0 bytes",
      "999 bytes",
      "1.00 kB",
      "2.34 MB",
      "100 MB",
      "5.50 TB",
    ]);
  });

  it("for why there is a gap, also for causes of later", () => {
    expect(causeWords("disk")).toMatch(/disk/);
    expect(causeWords("eclipse")).toBe("Not recorded (eclipse)");
  });
});
