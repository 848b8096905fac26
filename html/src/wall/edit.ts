/*
 * What somebody does to a grid: a camera is put in, taken out, moved, made
 * larger or smaller, and the grid itself gets another size.  Each answers
 * another grid; what cannot be done answers the same.
 */

import {
  asOneReads,
  type Frame,
  type Grid,
  type GridCell,
  neighbour,
} from "./grid";

export type Place = Pick<Frame, "x" | "y">;

/* a camera, or a place that is free */
export type Slot = { frame: Frame; cell: GridCell | undefined };

export function slots(grid: Grid): Slot[] {
  const free = places(grid).filter((place) => at(grid, place) === undefined);

  return [
    ...grid.cells.map((cell) => ({ frame: cell as Frame, cell })),
    ...free.map((place) => ({ frame: single(place), cell: undefined })),
  ].sort((a, b) => asOneReads(a.frame, b.frame));
}

/* into a free place, or in place of the camera that is there */
export function put(grid: Grid, place: Place, cameraId: string): Grid {
  const before = at(grid, place);

  return before === undefined
    ? withCells(grid, [...grid.cells, { cameraId, ...single(place) }])
    : exchange(grid, new Map([[before, { ...before, cameraId }]]));
}

export function takenOut(grid: Grid, cell: GridCell): Grid {
  return withCells(
    grid,
    grid.cells.filter((one) => one !== cell),
  );
}

/*
 * Dragged to a place: as large as before where there is room, else two cameras
 * change places, and in a free place that is too small one becomes small.
 */
export function moved(grid: Grid, cell: GridCell, to: Place): Grid {
  const other = at(grid, to);
  const whole = inside(grid, { ...cell, ...to });

  if (other === cell) {
    return grid;
  }

  if (isFree(grid, whole, cell)) {
    return exchange(grid, new Map([[cell, { ...cell, ...whole }]]));
  }

  return other === undefined
    ? exchange(grid, new Map([[cell, { ...cell, ...single(to) }]]))
    : swapped(grid, cell, other);
}

/* by a key: one step where there is room, else past the next camera */
export function pushed(
  grid: Grid,
  cell: GridCell,
  dx: number,
  dy: number,
): Grid {
  const step = { ...cell, x: cell.x + dx, y: cell.y + dy };

  if (isFree(grid, step, cell)) {
    return exchange(grid, new Map([[cell, step]]));
  }

  const other = neighbour(grid.cells, cell, dx, dy);

  return other === undefined ? grid : swapped(grid, cell, other);
}

export function stretched(
  grid: Grid,
  cell: GridCell,
  dw: number,
  dh: number,
): Grid {
  const next = {
    ...cell,
    width: cell.width + dw,
    height: cell.height + dh,
  };

  return next.width > 0 && next.height > 0 && isFree(grid, next, cell)
    ? exchange(grid, new Map([[cell, next]]))
    : grid;
}

export interface Settled {
  grid: Grid;
  lost: GridCell[]; // have no place in it
}

/*
 * As many columns and rows as that: each camera stays where it is when it can,
 * smaller if need be, else it goes to the first free place.
 */
export function settled(
  cells: readonly GridCell[],
  columns: number,
  rows: number,
): Settled {
  let grid: Grid = { columns, rows, cells: [] };
  const homeless: GridCell[] = [];
  const lost: GridCell[] = [];

  for (const cell of cells) {
    const rest = cut(grid, cell);

    if (rest !== undefined && isFree(grid, rest)) {
      grid = withCells(grid, [...grid.cells, { ...cell, ...rest }]);
    } else {
      homeless.push(cell);
    }
  }

  for (const cell of homeless) {
    const place = slots(grid).find((slot) => slot.cell === undefined)?.frame;

    if (place === undefined) {
      lost.push(cell);
    } else {
      grid = withCells(grid, [...grid.cells, { ...cell, ...place }]);
    }
  }

  return { grid, lost };
}

function at({ cells }: Grid, { x, y }: Place): GridCell | undefined {
  return cells.find((cell) => overlap(cell, single({ x, y })));
}

function isFree(grid: Grid, frame: Frame, except?: GridCell): boolean {
  return (
    frame.x >= 0 &&
    frame.y >= 0 &&
    frame.x + frame.width <= grid.columns &&
    frame.y + frame.height <= grid.rows &&
    !grid.cells.some((cell) => cell !== except && overlap(cell, frame))
  );
}

function overlap(a: Frame, b: Frame): boolean {
  return (
    a.x < b.x + b.width &&
    b.x < a.x + a.width &&
    a.y < b.y + b.height &&
    b.y < a.y + a.height
  );
}

/* shifted until it lies within the grid */
function inside(grid: Grid, frame: Frame): Frame {
  return {
    ...frame,
    x: Math.max(0, Math.min(frame.x, grid.columns - frame.width)),
    y: Math.max(0, Math.min(frame.y, grid.rows - frame.height)),
  };
}

/* what of it lies within the grid */
function cut(grid: Grid, { x, y, width, height }: Frame): Frame | undefined {
  return x < grid.columns && y < grid.rows
    ? {
        x,
        y,
        width: Math.min(width, grid.columns - x),
        height: Math.min(height, grid.rows - y),
      }
    : undefined;
}

function swapped(grid: Grid, a: GridCell, b: GridCell): Grid {
  return exchange(
    grid,
    new Map([
      [a, { ...b, cameraId: a.cameraId }],
      [b, { ...a, cameraId: b.cameraId }],
    ]),
  );
}

function exchange(grid: Grid, changes: Map<GridCell, GridCell>): Grid {
  return withCells(
    grid,
    grid.cells.map((cell) => changes.get(cell) ?? cell),
  );
}

function withCells(grid: Grid, cells: GridCell[]): Grid {
  return { ...grid, cells: cells.sort(asOneReads) };
}

function single({ x, y }: Place): Frame {
  return { x, y, width: 1, height: 1 };
}

function places({ columns, rows }: Grid): Place[] {
  return Array.from({ length: columns * rows }, (_, n) => ({
    x: n % columns,
    y: Math.floor(n / columns),
  }));
}
