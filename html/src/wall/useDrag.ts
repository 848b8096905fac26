/*
 * Dragging by mouse, pen or finger: pointer events, as the browser's own
 * dragging knows no fingers.  A mouse takes a picture anywhere, a finger by its
 * grip, for it scrolls everywhere else.
 */

import {
  type PointerEvent as ReactPointerEvent,
  useEffect,
  useRef,
  useState,
} from "react";
import type { Place } from "./edit";

export interface Drag {
  key: string;
  dx: number; // pixels from where it was taken
  dy: number;
  over: Place | undefined;
}

interface Taken {
  key: string;
  pointer: number;
  x: number;
  y: number;
}

const LEAST_PX = 6; // less than that is a click

export function useDrag(onDrop: (key: string, to: Place) => void) {
  const [drag, setDrag] = useState<Drag>();
  const taken = useRef<Taken>(undefined);
  const last = useRef<Drag>(undefined);
  const wasDrag = useRef(false);
  const drop = useRef(onDrop);

  drop.current = onDrop;

  const show = (next: Drag | undefined) => {
    last.current = next;
    setDrag(next);
  };

  const end = () => {
    taken.current = undefined;
    show(undefined);
  };

  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key === "Escape") {
        end();
      }
    };

    document.addEventListener("keydown", onKeyDown);
    return () => document.removeEventListener("keydown", onKeyDown);
  }, []);

  const onPointerDown = (key: string, event: ReactPointerEvent) => {
    const grip = (event.target as Element).closest(".wall-grip") !== null;

    wasDrag.current = false;

    if (event.button !== 0 || (event.pointerType === "touch" && !grip)) {
      return;
    }

    event.currentTarget.setPointerCapture(event.pointerId);
    taken.current = {
      key,
      pointer: event.pointerId,
      x: event.clientX,
      y: event.clientY,
    };
  };

  const onPointerMove = (event: ReactPointerEvent) => {
    const from = taken.current;

    if (from === undefined || from.pointer !== event.pointerId) {
      return;
    }

    const dx = event.clientX - from.x;
    const dy = event.clientY - from.y;

    if (wasDrag.current || Math.hypot(dx, dy) >= LEAST_PX) {
      wasDrag.current = true;
      show({ key: from.key, dx, dy, over: under(event) });
    }
  };

  const onPointerUp = () => {
    const { key, over } = last.current ?? {};

    end();

    if (key !== undefined && over !== undefined) {
      drop.current(key, over);
    }
  };

  /* a click that ends a drag is none; one by a key has no detail */
  const isClick = ({ detail }: { detail: number }) =>
    detail === 0 || !wasDrag.current;

  return {
    drag,
    isClick,
    handlers: (key: string) => ({
      onPointerDown: (event: ReactPointerEvent) => onPointerDown(key, event),
      onPointerMove,
      onPointerUp,
      onPointerCancel: end,
    }),
  };
}

/* the place under the pointer that is not the picture in the hand */
function under(event: ReactPointerEvent): Place | undefined {
  for (const one of document.elementsFromPoint(event.clientX, event.clientY)) {
    const slot = one.closest<HTMLElement>("[data-place]");

    if (slot !== null && !slot.contains(event.currentTarget)) {
      const [x, y] = (slot.dataset.place ?? "").split(",").map(Number);

      return x === undefined || y === undefined ? undefined : { x, y };
    }
  }

  return undefined;
}
