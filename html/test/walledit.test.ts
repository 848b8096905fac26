/* Tests for wall/edit.ts: what somebody does to the grid of a layout. */

import { describe, expect, it } from "vitest";
import {
  moved,
  pushed,
  put,
  settled,
  slots,
  stretched,
  takenOut,
} from "../src/wall/edit";
import type { Grid, GridCell } from "../src/wall/grid";
import { placeWords } from "../src/wall/words";
import { drawn } from "./drawn";

/* a camera for each letter, where it stands in the picture */
function grid(...rows: string[]): Grid {
  const columns = rows[0]?.length ?? 0;
  const ids = [...new Set(rows.join("").replace(/\./g, ""))];

  return {
    columns,
    rows: rows.length,
    cells: ids.map((cameraId) => {
      const y = rows.findIndex((row) => row.includes(cameraId));
      const row = rows[y] ?? "";

      return {
        cameraId,
        x: row.indexOf(cameraId),
        y,
        width: row.split(cameraId).length - 1,
        height: rows.filter((one) => one.includes(cameraId)).length,
      };
    }),
  };
}

function cell({ cells }: Grid, id: string): GridCell {
  return cells.find(({ cameraId }) => cameraId === id) as GridCell;
}

describe("a grid", () => {
  const before = grid("aab", "aa.");

  it("has its cameras and its free places, in the order one reads", () => {
    expect(
      slots(before).map(({ frame, cell: one }) => one?.cameraId ?? frame),
    ).toEqual(["a", "b", { x: 2, y: 1, width: 1, height: 1 }]);
  });

  it("takes a camera in, in place of another one, and out", () => {
    expect(drawn(put(before, { x: 2, y: 1 }, "c"))).toEqual(["aab", "aac"]);
    expect(drawn(put(before, { x: 1, y: 1 }, "c"))).toEqual(["ccb", "cc."]);
    expect(drawn(takenOut(before, cell(before, "a")))).toEqual(["..b", "..."]);
    expect(drawn(before)).toEqual(["aab", "aa."]);
  });
});

describe("a camera that is dragged", () => {
  it("keeps its size where there is room, up to the edge", () => {
    const wide = grid("aa...", "aa..b");

    expect(drawn(moved(wide, cell(wide, "a"), { x: 2, y: 1 }))).toEqual([
      "..aa.",
      "..aab",
    ]);
  });

  it("changes places with the one that is there", () => {
    const two = grid("aab", "aa.");

    expect(drawn(moved(two, cell(two, "b"), { x: 0, y: 0 }))).toEqual([
      "bba",
      "bb.",
    ]);
  });

  it("becomes small where it does not fit", () => {
    const two = grid("aab", "aa.");

    expect(drawn(moved(two, cell(two, "a"), { x: 2, y: 1 }))).toEqual([
      "..b",
      "..a",
    ]);
  });

  it("onto itself stays", () => {
    const two = grid("aab", "aa.");

    expect(moved(two, cell(two, "a"), { x: 1, y: 1 })).toBe(two);
  });
});

describe("an arrow key", () => {
  it("moves by one step where there is room", () => {
    const one = grid("aa.", "aa.");

    expect(drawn(pushed(one, cell(one, "a"), 1, 0))).toEqual([".aa", ".aa"]);
  });

  it("changes places with the next camera, and does nothing at the edge", () => {
    const two = grid("ab", "..");

    expect(drawn(pushed(two, cell(two, "a"), 1, 0))).toEqual(["ba", ".."]);
    expect(pushed(two, cell(two, "a"), -1, 0)).toBe(two);
    expect(pushed(two, cell(two, "a"), 0, -1)).toBe(two);
  });
});

describe("another size", () => {
  const two = grid("ab.", "...");

  it("of a camera needs room", () => {
    expect(drawn(stretched(two, cell(two, "b"), 1, 1))).toEqual(["abb", ".bb"]);
    expect(stretched(two, cell(two, "a"), 1, 0)).toBe(two);
    expect(stretched(two, cell(two, "a"), -1, 0)).toBe(two);
    expect(stretched(two, cell(two, "a"), 0, 2)).toBe(two);
  });

  it("of the grid keeps every camera that has a place", () => {
    const full = grid("aab", "aac");
    const smaller = settled(full.cells, 2, 2);

    expect(drawn(settled(full.cells, 4, 3).grid)).toEqual([
      "aab.",
      "aac.",
      "....",
    ]);
    expect(drawn(smaller.grid)).toEqual(["aa", "aa"]);
    expect(smaller.lost.map(({ cameraId }) => cameraId)).toEqual(["b", "c"]);
    expect(drawn(settled(full.cells, 1, 3).grid)).toEqual(["a", "a", "b"]);
  });

  it("sets apart what lies over each other", () => {
    const over = [cell(two, "a"), { ...cell(two, "b"), x: 0 }];

    expect(drawn(settled(over, 2, 1).grid)).toEqual(["ab"]);
  });
});

describe("a place", () => {
  it("is said as one counts, with a size that is not the least", () => {
    expect(placeWords({ x: 0, y: 1, width: 1, height: 1 })).toBe(
      "column 1, row 2",
    );
    expect(placeWords({ x: 2, y: 0, width: 2, height: 1 })).toBe(
      "column 3, row 1, 2 wide, 1 high",
    );
  });
});
