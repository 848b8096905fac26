/* Tests for wall/: cells on a grid, turns to play, and what is said of them. */

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Api } from "../src/api";
import type { Layout, LayoutCell } from "../src/types";
import {
  arranged,
  type GridCell,
  neighbour,
  toGrid,
  toLayout,
} from "../src/wall/grid";
import { withLayout } from "../src/wall/queries";
import { type Turn, Turns } from "../src/wall/turns";
import { cellWords } from "../src/wall/words";
import { drawn } from "./drawn";
import { ok, Server } from "./server";

const LAYOUT: LayoutCell[] = [
  { cameraId: "b", position: { x: 2, y: 0 }, size: { width: 1, height: 1 } },
  { cameraId: "a", position: { x: 0, y: 0 }, size: { width: 2, height: 2 } },
  { cameraId: "c", position: { x: 1, y: 2 }, size: { width: 1, height: 1 } },
];

describe("a layout", () => {
  it("is a grid as far as its cells reach, in the order one reads", () => {
    expect(drawn(toGrid(LAYOUT))).toEqual(["aab", "aa.", ".c."]);
    expect(toGrid(LAYOUT).cells.map(({ cameraId }) => cameraId)).toEqual([
      "a",
      "b",
      "c",
    ]);
    expect(toGrid([])).toEqual({ columns: 1, rows: 1, cells: [] });
  });

  it("is sent as it came", () => {
    expect(toLayout(toGrid(LAYOUT))).toEqual(
      [LAYOUT[1], LAYOUT[0], LAYOUT[2]],
    );
  });
});

describe("cameras that nobody arranged", () => {
  it.each([
    ["a", ["a"]],
    ["ab", ["ab"]],
    ["abc", ["ab", "c."]],
    ["abcde", ["abc", "de."]],
    ["abcdefghijklmnop", ["abcd", "efgh", "ijkl", "mnop"]],
  ])("%s", (ids, rows) => {
    expect(drawn(arranged([...ids]))).toEqual(rows);
  });
});

describe("an arrow key", () => {
  const { cells } = toGrid(LAYOUT);
  const from = (id: string, dx: number, dy: number) =>
    neighbour(
      cells,
      cells.find(({ cameraId }) => cameraId === id) as GridCell,
      dx,
      dy,
    )?.cameraId;

  it("leads to the nearest cell in its direction", () => {
    expect(from("a", 1, 0)).toBe("b");
    expect(from("a", 0, 1)).toBe("c");
    expect(from("b", -1, 0)).toBe("a");
    expect(from("c", 0, -1)).toBe("a");
  });

  it("leads nowhere at the edge", () => {
    expect(from("a", -1, 0)).toBeUndefined();
    expect(from("c", 0, 1)).toBeUndefined();
  });
});

describe("turns", () => {
  const told = new Map<number, Turn>();
  let turns: Turns;
  const ask = (order: number) =>
    turns.ask(order, (turn) => told.set(order, turn));
  const all = () => [...told].sort(([a], [b]) => a - b).map(([, turn]) => turn);

  beforeEach(() => {
    vi.useFakeTimers();
    told.clear();
    turns = new Turns(2, 100);
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  it("come one after the other, to those that stand first, and not to all", () => {
    [2, 0, 1].forEach(ask);
    expect(all()).toEqual(["waiting", "waiting", "full"]);

    vi.advanceTimersByTime(100);
    expect(all()).toEqual(["playing", "waiting", "full"]);
    vi.advanceTimersByTime(100);
    expect(all()).toEqual(["playing", "playing", "full"]);
    vi.advanceTimersByTime(10_000);
    expect(all()).toEqual(["playing", "playing", "full"]);
  });

  it("that are given back go to the next", () => {
    const [first] = [0, 1, 2].map(ask);

    vi.advanceTimersByTime(200);
    first?.();
    expect(told.get(2)).toBe("waiting");
    vi.advanceTimersByTime(100);
    expect(told.get(2)).toBe("playing");
  });

  it("are not for who has gone before", () => {
    ask(0)();
    ask(1);
    vi.advanceTimersByTime(1000);
    expect(all()).toEqual(["waiting", "playing"]);
    ask(2);
    vi.advanceTimersByTime(1000);
    expect(told.get(2)).toBe("playing");
  });
});

describe("a cell", () => {
  const camera = { isActive: true, streamStatus: "online" as const };
  const live = { kind: "live" as const, delaySeconds: 4 };
  const word = (...args: Parameters<typeof cellWords>) => cellWords(...args).word;

  it("says what its picture is", () => {
    expect(word(camera, true, "playing", live)).toBe("Live");
    expect(word(camera, true, "full", live)).toBe("Still picture");
    expect(word(camera, true, "waiting", live)).toBe("Connecting");
    expect(word(camera, true, "playing", { kind: "interrupted" })).toBe(
      "Reconnecting",
    );
  });

  it("says why it has none", () => {
    expect(word(camera, false, undefined, live)).toBe("Not for your role");
    expect(
      word({ ...camera, streamStatus: "offline" }, true, "playing", live),
    ).toBe("Offline");
    expect(word({ ...camera, isActive: false }, true, "playing", live)).toBe(
      "Switched off",
    );
    expect(
      word(camera, true, "playing", {
        kind: "refused",
        refusal: {
          kind: "missing",
          code: "X",
          message: "x",
          requestId: undefined,
        },
      }),
    ).toBe("There is no such camera");
  });
});

describe("a list of layouts", () => {
  const layout = (id: string, isDefault: boolean): Layout => ({
    id,
    userId: "u",
    name: id,
    layout: [],
    isDefault,
    createdAt: "2026-01-01T00:00:00.000Z",
    updatedAt: "2026-01-01T00:00:00.000Z",
  });
  const firsts = (list: Layout[]) =>
    list.map(({ id, isDefault }) => (isDefault ? `${id}!` : id));

  it("has one that opens first, at most", () => {
    const list = [layout("a", true), layout("b", false)];

    expect(firsts(withLayout(list, layout("b", true)))).toEqual(["a", "b!"]);
    expect(firsts(withLayout(list, layout("c", true)))).toEqual([
      "a",
      "b",
      "c!",
    ]);
    expect(firsts(withLayout(list, layout("c", false)))).toEqual([
      "a!",
      "b",
      "c",
    ]);
  });
});

describe("a request", () => {
  it("names a layout safely, and the version it changes", async () => {
    const server = new Server().will(ok({}), ok({}));
    const { layouts } = new Api({
      token: () => Promise.resolve("first"),
      renew: () => Promise.reject(new Error("not asked for")),
    });

    await layouts.update("a/b", { isDefault: true }, '"3"');
    await layouts.remove("a/b");
    expect(server.asked).toMatchObject([
      { method: "PATCH", url: "./api/v1/layouts/a%2Fb" },
      { method: "DELETE", url: "./api/v1/layouts/a%2Fb" },
    ]);
    expect(server.asked[0]?.headers.get("If-Match")).toBe('"3"');
  });
});
