/*
 * The pictures of a wall, in its grid.  Tab and the arrow keys lead from one to
 * the next, F fills the screen with them.
 */

import {
  type CSSProperties,
  type KeyboardEvent,
  type RefObject,
  useState,
} from "react";
import { Icon } from "../design/Icon";
import { fillScreen } from "../player/controls";
import { Cell, placed } from "./Cell";
import { type Grid, type GridCell, neighbour } from "./grid";
import { Turns } from "./turns";
import { WallTurns } from "./useTurn";

interface WallGridProps {
  grid: Grid;
  name: string;
  stage: RefObject<HTMLDivElement | null>;
}

export const STEPS: Record<string, readonly [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

export function WallGrid({ grid, name, stage }: WallGridProps) {
  const [turns] = useState(() => new Turns());

  const onKeyDown = (event: KeyboardEvent) => {
    const step = STEPS[event.key];

    if (event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }

    if (event.key === "f") {
      fillScreen(stage.current, null);
    } else if (step !== undefined) {
      event.preventDefault();
      walk(event.currentTarget, grid, step);
    }
  };

  return (
    <WallTurns.Provider value={turns}>
      <div className="wall-stage" ref={stage}>
        <ul
          className="wall"
          aria-label={name}
          style={sized(grid)}
          onKeyDown={onKeyDown}
        >
          {keyed(grid.cells).map(({ key, cell }, n) => (
            <li key={key} className="wall-cell" style={placed(cell)}>
              <Cell id={cell.cameraId} order={n} />
            </li>
          ))}
        </ul>
        <button
          type="button"
          className="wall-leave"
          aria-label="Leave full screen"
          onClick={() => fillScreen(stage.current, null)}
        >
          <Icon name="close" size={20} />
        </button>
      </div>
    </WallTurns.Provider>
  );
}

export function sized({ columns, rows }: Grid): CSSProperties {
  return { "--columns": columns, "--rows": rows } as CSSProperties;
}

/* a camera that stands somewhere else now is the same cell */
export function keyed(cells: readonly GridCell[]) {
  const seen = new Map<string, number>();

  return cells.map((cell) => {
    const n = (seen.get(cell.cameraId) ?? 0) + 1;

    seen.set(cell.cameraId, n);
    return { key: `${cell.cameraId}/${n}`, cell };
  });
}

function walk(
  list: Element,
  { cells }: Grid,
  [dx, dy]: readonly [number, number],
): void {
  const all = [...list.children];
  const at = all.findIndex((one) => one.contains(document.activeElement));
  const from = cells[at];
  const to = from && neighbour(cells, from, dx, dy);

  if (to !== undefined) {
    all[cells.indexOf(to)]?.querySelector<HTMLElement>("a")?.focus();
  }
}
