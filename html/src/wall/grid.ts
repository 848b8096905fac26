/*
 * Cameras on a grid.  A layout has cells alone, so its grid reaches as far as
 * they do; while it is changed, the grid has a size of its own.  No function
 * here changes what it is given.
 */

import type { LayoutCell } from "../types";

export interface Frame {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface GridCell extends Frame {
  cameraId: string;
}

export interface Grid {
  columns: number;
  rows: number;
  cells: GridCell[];
}

type Place = Pick<Frame, "x" | "y">;

export const MAX_CELLS = 64; // as the API has it

export function toGrid(layout: readonly LayoutCell[]): Grid {
  const cells = layout.map(({ cameraId, position, size }) => ({
    cameraId,
    ...position,
    ...size,
  }));

  return {
    columns: Math.max(1, ...cells.map(right)),
    rows: Math.max(1, ...cells.map(bottom)),
    cells: cells.sort(asOneReads),
  };
}

export function toLayout({ cells }: Grid): LayoutCell[] {
  return cells.map(({ cameraId, x, y, width, height }) => ({
    cameraId,
    position: { x, y },
    size: { width, height },
  }));
}

/* one camera behind the other, about as many columns as rows */
export function arranged(ids: readonly string[]): Grid {
  const columns = Math.max(1, Math.ceil(Math.sqrt(ids.length)));

  return {
    columns,
    rows: Math.max(1, Math.ceil(ids.length / columns)),
    cells: ids.map((cameraId, n) => ({
      cameraId,
      x: n % columns,
      y: Math.floor(n / columns),
      width: 1,
      height: 1,
    })),
  };
}

export function asOneReads(a: Place, b: Place): number {
  return a.y - b.y || a.x - b.x;
}

/*
 * The cell that a key leads to from another one: the nearest whose middle lies
 * in that direction.
 */
export function neighbour(
  cells: readonly GridCell[],
  from: GridCell,
  dx: number,
  dy: number,
): GridCell | undefined {
  const here = middle(from);
  let best: { cell: GridCell; far: number } | undefined;

  for (const cell of cells) {
    const there = middle(cell);
    const along = (there.x - here.x) * dx + (there.y - here.y) * dy;
    const aside = Math.abs((there.x - here.x) * dy + (there.y - here.y) * dx);

    if (cell === from || along <= 0) {
      continue;
    }

    /* straight on is nearer than round the corner */
    const far = along + 2 * aside;

    if (best === undefined || far < best.far) {
      best = { cell, far };
    }
  }

  return best?.cell;
}

function middle({ x, y, width, height }: Frame): Place {
  return { x: x + width / 2, y: y + height / 2 };
}

function right({ x, width }: Frame): number {
  return x + width;
}

function bottom({ y, height }: Frame): number {
  return y + height;
}
