/*
 * The grid while it is changed: stills instead of live pictures, free places to
 * put a camera into, and for each camera a menu.  Pictures are dragged, or
 * moved by the arrow keys; with Shift these change their size, and Delete takes
 * one out.
 */

import {
  type KeyboardEvent,
  type MouseEvent,
  type ReactNode,
  useEffect,
  useId,
  useRef,
  useState,
} from "react";
import { useMay } from "../app/services";
import { usePoster } from "../cameras/posters";
import { useSeen } from "../cameras/useSeen";
import { Icon, type IconName } from "../design/Icon";
import { Menu, MenuItem } from "../design/Menu";
import { useCamera } from "../queries";
import { CameraDialog } from "./CameraDialog";
import { placed, STILL_WIDTH } from "./Cell";
import {
  moved,
  type Place,
  pushed,
  put,
  type Slot,
  slots,
  stretched,
  takenOut,
} from "./edit";
import { type Grid, type GridCell, MAX_CELLS } from "./grid";
import { type Drag, useDrag } from "./useDrag";
import { keyed, sized, STEPS } from "./WallGrid";
import { placeWords } from "./words";

interface EditGridProps {
  grid: Grid;
  onChange: (grid: Grid) => void;
}

export function EditGrid({ grid, onChange }: EditGridProps) {
  const list = useRef<HTMLUListElement>(null);
  const help = useId();
  const [choosing, setChoosing] = useState<Place>();
  const [said, setSaid] = useState("");
  const focus = useRef<string>(undefined); // where it goes after a change
  const keys = new Map(keyed(grid.cells).map(({ key, cell }) => [cell, key]));
  const { drag, isClick, handlers } = useDrag((key, to) => {
    const cell = grid.cells.find((one) => keys.get(one) === key);

    if (cell !== undefined) {
      change(moved(grid, cell, to), cell.cameraId);
    }
  });

  const change = (next: Grid, cameraId: string, name?: string) => {
    const cell = next.cells.find((one) => one.cameraId === cameraId);

    if (next !== grid) {
      focus.current = `[data-edits="${CSS.escape(cameraId)}"]`;
      onChange(next);
    }

    if (name !== undefined && cell !== undefined) {
      setSaid(`${name}: ${placeWords(cell)}`);
    }
  };

  const takeOut = (cell: GridCell, name: string) => {
    focus.current = `[data-place="${cell.x},${cell.y}"] .wall-free`;
    onChange(takenOut(grid, cell));
    setSaid(`${name} is taken out`);
  };

  /* what is moved is another element, or the same one elsewhere in the list */
  useEffect(() => {
    if (focus.current !== undefined) {
      list.current?.querySelector<HTMLElement>(focus.current)?.focus();
      focus.current = undefined;
    }
  }, [grid]);

  return (
    <div className="wall-stage">
      <p className="for-readers" id={help}>
        Arrow keys move it, with Shift they make it larger and smaller, Delete
        takes it out, Enter chooses another camera.
      </p>
      <ul
        className="wall wall-edit"
        ref={list}
        aria-label="Places"
        style={sized(grid)}
      >
        {slots(grid).map((slot) => {
          const { frame, cell } = slot;
          const key = cell && keys.get(cell);

          return (
            <li
              key={key ?? `${frame.x},${frame.y}`}
              className="wall-cell"
              style={placed(frame)}
              data-place={`${frame.x},${frame.y}`}
              data-over={isOver(drag, slot)}
            >
              {cell === undefined || key === undefined ? (
                <Free
                  place={frame}
                  disabled={grid.cells.length >= MAX_CELLS}
                  onClick={() => setChoosing(frame)}
                />
              ) : (
                <Tile
                  cell={cell}
                  grid={grid}
                  help={help}
                  drag={drag?.key === key ? drag : undefined}
                  handlers={handlers(key)}
                  onClick={(event) => isClick(event) && setChoosing(frame)}
                  onChange={(next, name) => change(next, cell.cameraId, name)}
                  onChoose={() => setChoosing(frame)}
                  onTakeOut={(name) => takeOut(cell, name)}
                />
              )}
            </li>
          );
        })}
      </ul>
      <p className="for-readers" role="status">
        {said}
      </p>
      {choosing !== undefined && (
        <CameraDialog
          title={`Camera in ${placeWords({ ...choosing, width: 1, height: 1 })}`}
          taken={new Set(grid.cells.map(({ cameraId }) => cameraId))}
          onClose={() => setChoosing(undefined)}
          onChoose={(id, name) => {
            setChoosing(undefined);
            change(put(grid, choosing, id), id, name);
          }}
        />
      )}
    </div>
  );
}

function isOver(drag: Drag | undefined, { frame }: Slot): boolean {
  return drag?.over?.x === frame.x && drag.over.y === frame.y;
}

interface FreeProps {
  place: Place;
  disabled: boolean;
  onClick: () => void;
}

function Free({ place, disabled, onClick }: FreeProps) {
  return (
    <button
      type="button"
      className="wall-free"
      aria-label={`Free: ${placeWords({ ...place, width: 1, height: 1 })}. Choose a camera`}
      disabled={disabled}
      onClick={onClick}
    >
      <Icon name="plus" size={22} />
      <span>Camera</span>
    </button>
  );
}

interface TileProps {
  cell: GridCell;
  grid: Grid;
  help: string;
  drag: Drag | undefined;
  handlers: ReturnType<ReturnType<typeof useDrag>["handlers"]>;
  onClick: (event: MouseEvent) => void;
  onChange: (next: Grid, name: string) => void;
  onChoose: () => void;
  onTakeOut: (name: string) => void;
}

function Tile(props: TileProps) {
  const { cell, grid, help, drag, handlers, onClick, onChange } = props;
  const { cameraId } = cell;
  const ref = useRef<HTMLButtonElement>(null);
  const camera = useCamera(cameraId);
  const views = useMay("streams:view");
  const seen = useSeen(ref);
  const online = camera.data?.value.streamStatus === "online";
  const poster = usePoster(cameraId, STILL_WIDTH, seen && online && views);
  const name =
    camera.data?.value.name ?? (camera.isError ? "A camera that is gone" : "…");

  const onKeyDown = (event: KeyboardEvent) => {
    const step = STEPS[event.key];

    if (event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }

    if (step !== undefined) {
      event.preventDefault();
      onChange((event.shiftKey ? stretched : pushed)(grid, cell, ...step), name);
    } else if (event.key === "Delete" || event.key === "Backspace") {
      event.preventDefault();
      props.onTakeOut(name);
    }
  };

  return (
    <div
      className="wall-picture"
      data-drag={drag !== undefined}
      style={
        drag && { transform: `translate(${drag.dx}px, ${drag.dy}px)` }
      }
    >
      {poster.url !== undefined && <img src={poster.url} alt="" />}
      {poster.url === undefined && (
        <span className="wall-words">
          <Icon name={camera.isError ? "camera-off" : "camera"} size={22} />
        </span>
      )}
      <button
        ref={ref}
        type="button"
        className="wall-tile"
        aria-label={`${name}, ${placeWords(cell)}`}
        aria-describedby={help}
        data-edits={cameraId}
        onKeyDown={onKeyDown}
        onClick={onClick}
        {...handlers}
      >
        <span className="wall-grip">
          <Icon name="grip" size={20} />
        </span>
        <span className="wall-name">
          <span>{name}</span>
        </span>
      </button>
      <Menu label={`Change ${name}`} button={<Icon name="more" />}>
        <MenuItem icon="camera" onClick={props.onChoose}>
          Another camera
        </MenuItem>
        <hr className="menu-line" />
        {SIZES.map(({ word, icon, by }) => (
          <Resize
            key={word}
            icon={icon}
            next={stretched(grid, cell, ...by)}
            grid={grid}
            onChange={(next) => onChange(next, name)}
          >
            {word}
          </Resize>
        ))}
        <MenuItem icon="close" onClick={() => props.onTakeOut(name)}>
          Take out
        </MenuItem>
      </Menu>
    </div>
  );
}

const SIZES: readonly {
  word: string;
  icon: IconName;
  by: readonly [number, number];
}[] = [
  { word: "Larger", icon: "full", by: [1, 1] },
  { word: "Wider", icon: "forward", by: [1, 0] },
  { word: "Narrower", icon: "back", by: [-1, 0] },
  { word: "Taller", icon: "down", by: [0, 1] },
  { word: "Shorter", icon: "up", by: [0, -1] },
];

interface ResizeProps {
  icon: IconName;
  next: Grid;
  grid: Grid;
  onChange: (next: Grid) => void;
  children: ReactNode;
}

/* what there is no room for is not offered */
function Resize({ icon, next, grid, onChange, children }: ResizeProps) {
  return next === grid ? null : (
    <MenuItem icon={icon} onClick={() => onChange(next)}>
      {children}
    </MenuItem>
  );
}
