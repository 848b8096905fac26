/* Tests for the timeline of recordings: places, ticks, zoom, what is where. */

import { afterEach, describe, expect, it, vi } from "vitest";
import {
  bars,
  firstRange,
  joined,
  placeAt,
  playable,
  range,
  recordedWithin,
  type Recorded,
  without,
} from "../src/recordings/timeline";
import {
  around,
  DAY,
  dayOf,
  HOUR,
  lengthOf,
  MINUTE,
  moved,
  ticks,
  toTime,
  toX,
  within,
  zoomed,
} from "../src/recordings/view";

const T = Date.UTC(2026, 2, 10);
const day = { from: T, to: T + DAY };

afterEach(() => vi.unstubAllEnvs());

function at(zone: string, ...[y, m, d]: [number, number, number]): number {
  vi.stubEnv("TZ", zone);
  return new Date(y, m - 1, d, 12).getTime();
}

const clock = (ms: number) =>
  `${new Date(ms).getHours()}:${String(new Date(ms).getMinutes()).padStart(2, "0")}`;

describe("a view", () => {
  it("turns times into places and back", () => {
    expect(toX(day, 1200, T + 6 * HOUR)).toBe(300);
    expect(toTime(day, 1200, 300)).toBe(T + 6 * HOUR);
    expect(toTime(day, 0, 0)).toBe(T);
  });

  it("zooms about a moment, which stays where it is", () => {
    const view = zoomed(day, 0.25, T + 18 * HOUR, day);

    expect(lengthOf(view)).toBe(6 * HOUR);
    expect(toX(view, 1000, T + 18 * HOUR)).toBeCloseTo(750);
  });

  it("is never empty, and never more than there is", () => {
    expect(lengthOf(zoomed(day, 1e-9, T, day))).toBe(2 * MINUTE);
    expect(zoomed(day, 40, T + HOUR, day)).toEqual(day);
    expect(within({ from: T - HOUR, to: T + HOUR }, day)).toEqual({
      from: T,
      to: T + 2 * HOUR,
    });
  });

  it("moves to its limits and no further", () => {
    const hour = { from: T + HOUR, to: T + 2 * HOUR };

    expect(moved(hour, HOUR, day).from).toBe(T + 2 * HOUR);
    expect(moved(hour, -5 * HOUR, day)).toEqual({ from: T, to: T + HOUR });
    expect(moved(hour, 99 * HOUR, day).to).toBe(day.to);
    expect(around(T + 10 * MINUTE, HOUR, day)).toEqual({
      from: T,
      to: T + HOUR,
    });
  });
});

describe("a day", () => {
  it("is the viewer's own", () => {
    const { from, to } = dayOf(at("Asia/Tokyo", 2026, 3, 10));

    expect(new Date(from).toISOString()).toBe("2026-03-09T15:00:00.000Z");
    expect(to - from).toBe(DAY);
  });

  it("has 23 or 25 hours when the clock is changed", () => {
    expect(lengthOf(dayOf(at("Europe/Berlin", 2026, 3, 29)))).toBe(23 * HOUR);
    expect(lengthOf(dayOf(at("Europe/Berlin", 2026, 10, 25)))).toBe(25 * HOUR);
    expect(lengthOf(dayOf(at("Europe/Berlin", 2026, 3, 28), 1))).toBe(23 * HOUR);
  });
});

describe("ticks", () => {
  it("leave room for their labels", () => {
    for (const width of [200, 480, 900, 1600]) {
      for (const length of [2 * MINUTE, HOUR, 6 * HOUR, DAY]) {
        const all = ticks({ from: T, to: T + length }, width);

        for (let n = 1; n < all.length; n++) {
          const [a, b] = [all[n - 1], all[n]];

          expect(((b?.at ?? 0) - (a?.at ?? 0)) / (length / width)).toBeGreaterThan(
            70,
          );
        }

        expect(all.length).toBeGreaterThan(0);
      }
    }
  });

  it("stand at full hours of the wall clock, midnight strong", () => {
    const all = ticks(dayOf(at("Asia/Kolkata", 2026, 3, 10)), 900);

    expect(all.map((tick) => clock(tick.at))).toEqual([
      "0:00",
      "3:00",
      "6:00",
      "9:00",
      "12:00",
      "15:00",
      "18:00",
      "21:00",
      "0:00",
    ]);
    expect(all.map(({ strong }) => strong).indexOf(true)).toBe(0);
    expect(all.filter(({ strong }) => strong)).toHaveLength(2);
  });

  it("keep to the clock over its change", () => {
    const all = ticks(dayOf(at("Europe/Berlin", 2026, 3, 29)), 900);

    expect(all.map((tick) => clock(tick.at)).slice(0, 4)).toEqual([
      "0:00",
      "3:00",
      "6:00",
      "9:00",
    ]);
  });

  it("come twice in the hour that does", () => {
    const { from } = dayOf(at("Europe/Berlin", 2026, 10, 25));
    const twice = { from: from + 2 * HOUR, to: from + 4 * HOUR };

    expect(
      ticks(twice, 500).map((tick) => clock(tick.at)),
    ).toEqual(["2:00", "2:30", "2:00", "2:30", "3:00"]);
  });

  it("begin within the view", () => {
    const view = { from: T + 10 * MINUTE + 7, to: T + 70 * MINUTE };

    for (const tick of ticks(view, 700)) {
      expect(tick.at).toBeGreaterThanOrEqual(view.from);
      expect(tick.at).toBeLessThanOrEqual(view.to);
      expect(tick.at % MINUTE).toBe(0);
    }
  });
});

describe("what was recorded", () => {
  const recorded: Recorded = {
    spans: [
      { from: T, to: T + HOUR },
      { from: T + 2 * HOUR, to: T + 3 * HOUR },
    ],
    gaps: [{ from: T + HOUR, to: T + 2 * HOUR, cause: "network" }],
    marks: [],
  };

  it("is told from gaps, from nothing and from the future", () => {
    const kind = (ms: number) => placeAt(recorded, ms, T + 4 * HOUR).kind;

    expect(kind(T)).toBe("recorded");
    expect(kind(T + HOUR - 1)).toBe("recorded");
    expect(kind(T - 1)).toBe("nothing");
    expect(kind(T + 3.5 * HOUR)).toBe("nothing");
    expect(kind(T + 5 * HOUR)).toBe("future");
    expect(placeAt(recorded, T + HOUR, T + DAY)).toEqual({
      kind: "gap",
      cause: "network",
    });
  });

  it("plays from there, or from behind a gap, or its end", () => {
    expect(playable(recorded, T + 5)).toBe(T + 5);
    expect(playable(recorded, T - HOUR)).toBe(T);
    expect(playable(recorded, T + 1.5 * HOUR)).toBe(T + 2 * HOUR);
    expect(playable(recorded, T + 9 * HOUR)).toBe(T + 3 * HOUR - 5000);
    expect(playable({ ...recorded, spans: [] }, T)).toBeUndefined();
  });

  it("is counted", () => {
    const half = { from: T + HOUR / 2, to: T + 2.5 * HOUR };

    expect(recordedWithin(recorded, half)).toBe(HOUR);
    expect(recordedWithin(recorded, day)).toBe(2 * HOUR);
  });

  it("joins files that follow each other", () => {
    expect(
      joined([
        { from: T + HOUR + 300, to: T + 2 * HOUR },
        { from: T, to: T + HOUR },
        { from: T + 3 * HOUR, to: T + 4 * HOUR },
      ]),
    ).toEqual([
      { from: T, to: T + 2 * HOUR },
      { from: T + 3 * HOUR, to: T + 4 * HOUR },
    ]);
  });

  it("leaves gaps out of files that span them", () => {
    const file = [{ from: T, to: T + 4 * HOUR }];
    const gap = (from: number, to: number) => ({ from: T + from * HOUR, to: T + to * HOUR });

    expect(without(file, [gap(1, 2), gap(3, 5)])).toEqual([gap(0, 1), gap(2, 3)]);
    expect(without(file, [gap(-1, 9)])).toEqual([]);
    expect(without(file, [gap(5, 6)])).toEqual(file);
  });

  it("is drawn within the view, and never too thin to see", () => {
    const view = { from: T + HOUR / 2, to: T + 2 * HOUR + 1 };
    const drawn = bars(recorded.spans, view, 300);

    expect(drawn.map(({ x }) => Math.round(x))).toEqual([0, 300]);
    expect(drawn[0]?.width).toBeCloseTo(100, 0);
    expect(drawn[1]?.width).toBe(1.5);
    expect(bars(recorded.spans, { from: T + 5 * HOUR, to: T + DAY }, 300)).toEqual(
      [],
    );
  });
});

describe("a range to export", () => {
  it("is in order, a second at the least, and over", () => {
    expect(range(T + 9, T, T + DAY)).toEqual({ from: T, to: T + 1000 });
    expect(range(T + HOUR, T, T + DAY)).toEqual({ from: T, to: T + HOUR });
    expect(range(T, T + HOUR, T + MINUTE)).toEqual({ from: T, to: T + MINUTE });
    expect(range(T + HOUR, T + HOUR, T)).toEqual({ from: T - 1000, to: T });
  });

  it("begins as two minutes about the moment", () => {
    expect(firstRange(day, T + HOUR, T + DAY)).toEqual({
      from: T + HOUR - MINUTE,
      to: T + HOUR + MINUTE,
    });
    expect(firstRange(day, T + HOUR, T + HOUR)).toEqual({
      from: T + HOUR - 2 * MINUTE,
      to: T + HOUR,
    });
  });
});
