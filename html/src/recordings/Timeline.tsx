/*
 * A stretch of time: what was recorded in it, what was not and why, bookmarks,
 * the play head, and a range to export.  A click plays from there; dragging
 * moves, the wheel with Ctrl zooms, and so do the keys of a slider.
 */

import {
  type KeyboardEvent,
  type PointerEvent,
  useEffect,
  useId,
  useRef,
  useState,
} from "react";
import { bars, type Mark, type Place, placeAt, type Recorded } from "./timeline";
import { useWidth } from "./useWidth";
import {
  DAY,
  lengthOf,
  MINUTE,
  moved,
  SECOND,
  type Span,
  ticks,
  toTime,
  toX,
  zoomed,
} from "./view";
import { causeWords, date, time } from "./words";

interface TimelineProps {
  recorded: Recorded;
  view: Span;
  limits: Span;
  now: number;
  at: number | undefined; // what is played
  selection: Span | undefined;
  busy: boolean;
  onView: (view: Span) => void;
  onSeek: (at: number) => void;
  onSelection: (a: number, b: number) => void;
}

const HEIGHT = 92;
const BAND_Y = 24;
const BAND = 40;
const CLICK_PX = 4; // a hand that trembles does not drag
const STEP_MS = 10 * SECOND;
const CAUSES = ["network", "camera", "restart", "disk", "shed", "schedule"];

export function Timeline(props: TimelineProps) {
  const { recorded, view, now, at, selection } = props;
  const root = useRef<HTMLDivElement>(null);
  const width = useWidth(root);
  const id = useId();
  const [hover, setHover] = useState<number>();
  const drag = useDrag(props, width, root);
  const shown = at ?? now;
  const place = (ms: number) => toX(view, width, ms);

  useWheel(root, props, width);

  return (
    <div className="timeline" ref={root}>
      <div
        className="timeline-track"
        role="slider"
        tabIndex={0}
        aria-label="Moment of the recording"
        aria-valuemin={Math.round(props.limits.from / SECOND)}
        aria-valuemax={Math.round(props.limits.to / SECOND)}
        aria-valuenow={Math.round(shown / SECOND)}
        aria-valuetext={`${date(shown)}, ${time(shown)}, ${placeWords(
          placeAt(recorded, shown, now),
        )}`}
        aria-busy={props.busy}
        data-dragging={drag.dragging}
        data-from={view.from}
        data-to={view.to}
        onKeyDown={(event) => onKeyDown(event, props, shown)}
        onPointerDown={drag.down}
        onPointerMove={(event) => {
          drag.move(event);
          setHover(event.clientX - left(root.current));
        }}
        onPointerUp={drag.up}
        onPointerCancel={drag.cancel}
        onPointerLeave={() => setHover(undefined)}
      >
        <svg width={width} height={HEIGHT} aria-hidden="true">
          <Hatches id={id} />
          <rect className="timeline-band" y={BAND_Y} width={width} height={BAND} rx="6" />
          <Future x={place(now)} width={width} />
          {bars(recorded.gaps, view, width).map(({ x, width: w, span }) => (
            <rect
              key={`${span.from}-${span.cause}`}
              className="timeline-gap"
              data-cause={span.cause}
              fill={`url(#${id}-${CAUSES.includes(span.cause) ? span.cause : "restart"})`}
              x={x}
              y={BAND_Y}
              width={w}
              height={BAND}
            />
          ))}
          {bars(recorded.spans, view, width).map(({ x, width: w, span }) => (
            <rect
              key={span.from}
              className="timeline-recorded"
              data-from={span.from}
              data-to={span.to}
              x={x}
              y={BAND_Y}
              width={w}
              height={BAND}
              rx={w > 8 ? 4 : 0}
            />
          ))}
          <Ticks view={view} width={width} />
          {recorded.marks.map((mark) => (
            <Pin key={mark.id} mark={mark} x={place(mark.at)} end={markEnd(mark, place)} />
          ))}
          {selection !== undefined && (
            <rect
              className="timeline-selection"
              x={place(selection.from)}
              y={BAND_Y - 3}
              width={Math.max(2, place(selection.to) - place(selection.from))}
              height={BAND + 6}
            />
          )}
          {at !== undefined && <Head x={place(at)} width={width} />}
          {hover !== undefined && !drag.dragging && (
            <line
              className="timeline-hover"
              x1={hover}
              x2={hover}
              y1={BAND_Y - 6}
              y2={BAND_Y + BAND + 6}
            />
          )}
        </svg>
      </div>
      {selection !== undefined && (
        <Handles {...props} selection={selection} width={width} root={root} />
      )}
      {hover !== undefined && !drag.dragging && (
        <Bubble
          x={hover}
          width={width}
          at={toTime(view, width, hover)}
          recorded={recorded}
          now={now}
        />
      )}
    </div>
  );
}

/* what comes to rest where it began is a click */
function useDrag(
  props: TimelineProps,
  width: number,
  root: { current: HTMLElement | null },
) {
  const start = useRef<{ x: number; view: Span } | undefined>(undefined);
  const [dragging, setDragging] = useState(false);

  const cancel = () => {
    start.current = undefined;
    setDragging(false);
  };

  return {
    dragging,
    cancel,

    down(event: PointerEvent) {
      if (event.button === 0) {
        start.current = { x: event.clientX, view: props.view };
      }
    },

    move(event: PointerEvent) {
      const from = start.current;

      if (from === undefined) {
        return;
      }

      const pixels = event.clientX - from.x;

      if (!dragging && Math.abs(pixels) > CLICK_PX) {
        root.current?.setPointerCapture(event.pointerId);
        setDragging(true);
      }

      if (dragging) {
        const by = (-pixels / Math.max(width, 1)) * lengthOf(from.view);

        props.onView(moved(from.view, by, props.limits));
      }
    },

    up(event: PointerEvent) {
      if (start.current !== undefined && !dragging) {
        const x = event.clientX - left(root.current);

        props.onSeek(toTime(props.view, width, x));
      }

      cancel();
    },
  };
}

/* without Ctrl the page scrolls, as it does everywhere else */
function useWheel(
  root: { current: HTMLElement | null },
  props: TimelineProps,
  width: number,
): void {
  const latest = useRef({ props, width });

  latest.current = { props, width };

  useEffect(() => {
    const element = root.current;

    const onWheel = (event: WheelEvent) => {
      const { props: now, width: wide } = latest.current;
      const x = event.clientX - left(element);

      if (event.ctrlKey || event.metaKey) {
        const factor = Math.exp(event.deltaY / 300);

        event.preventDefault();
        now.onView(
          zoomed(now.view, factor, toTime(now.view, wide, x), now.limits),
        );
      } else if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
        const by = (event.deltaX / Math.max(wide, 1)) * lengthOf(now.view);

        event.preventDefault();
        now.onView(moved(now.view, by, now.limits));
      }
    };

    element?.addEventListener("wheel", onWheel, { passive: false });
    return () => element?.removeEventListener("wheel", onWheel);
  }, [root]);
}

function onKeyDown(event: KeyboardEvent, props: TimelineProps, at: number) {
  const { view, limits, now } = props;
  const far = event.shiftKey ? MINUTE : STEP_MS;
  const steps: Record<string, number | undefined> = {
    ArrowLeft: at - far,
    ArrowDown: at - far,
    ArrowRight: at + far,
    ArrowUp: at + far,
    PageUp: at + lengthOf(view) / 4,
    PageDown: at - lengthOf(view) / 4,
    Home: props.recorded.spans[0]?.from,
    End: props.recorded.spans.at(-1)?.to,
  };
  const to = steps[event.key];

  if (to !== undefined) {
    event.preventDefault();
    event.stopPropagation();
    props.onSeek(Math.min(Math.max(to, limits.from), now));
  } else if (event.key === "+" || event.key === "-") {
    props.onView(zoomed(view, event.key === "+" ? 0.5 : 2, at, limits));
  }
}

function Ticks({ view, width }: { view: Span; width: number }) {
  const all = ticks(view, width);
  const isFine = (all[1]?.at ?? DAY) - (all[0]?.at ?? 0) < MINUTE;

  return (
    <g className="timeline-ticks">
      {all.map(({ at, strong }) => {
        const x = toX(view, width, at);
        const text = time(at, isFine);
        const anchor = x < 24 ? "start" : x > width - 24 ? "end" : "middle";

        return (
          <g key={at} data-strong={strong}>
            <line x1={x} x2={x} y1={BAND_Y + BAND} y2={BAND_Y + BAND + 6} />
            <text x={x} y={HEIGHT - 6} textAnchor={anchor}>
              {text}
            </text>
          </g>
        );
      })}
    </g>
  );
}

function Hatches({ id }: { id: string }) {
  return (
    <defs>
      {CAUSES.map((cause) => (
        <pattern
          key={cause}
          id={`${id}-${cause}`}
          className="timeline-hatch"
          data-cause={cause}
          width="7"
          height="7"
          patternUnits="userSpaceOnUse"
          patternTransform="rotate(45)"
        >
          <rect width="7" height="7" />
          <line x1="0" x2="0" y1="0" y2="7" />
        </pattern>
      ))}
    </defs>
  );
}

/* what is still to come is not missing */
function Future({ x, width }: { x: number; width: number }) {
  return x >= width ? null : (
    <rect
      className="timeline-future"
      x={Math.max(0, x)}
      y={BAND_Y}
      width={width - Math.max(0, x)}
      height={BAND}
    />
  );
}

function Head({ x, width }: { x: number; width: number }) {
  return x < 0 || x > width ? null : (
    <g className="timeline-head">
      <line x1={x} x2={x} y1={BAND_Y - 8} y2={BAND_Y + BAND + 8} />
      <circle cx={x} cy={BAND_Y - 8} r="5" />
    </g>
  );
}

function Pin({ mark, x, end }: { mark: Mark; x: number; end: number }) {
  return (
    <g className="timeline-pin" data-type={mark.type} data-mark={mark.id}>
      {end - x > 2 && (
        <rect x={x} y={BAND_Y - 5} width={end - x} height="4" rx="2" />
      )}
      <path d={`M${x} ${BAND_Y - 1}l-5 -7v-10h10v10z`} />
    </g>
  );
}

function markEnd(mark: Mark, place: (at: number) => number): number {
  return place(mark.until ?? mark.at);
}

function Bubble(props: {
  x: number;
  width: number;
  at: number;
  recorded: Recorded;
  now: number;
}) {
  const { x, width, at, recorded, now } = props;
  const mark = recorded.marks.find((one) => Math.abs(one.at - at) < 20 * SECOND);
  const place = placeAt(recorded, at, now);

  return (
    <div
      className="timeline-bubble"
      data-side={x < 90 ? "start" : x > width - 90 ? "end" : "middle"}
      style={{ left: x }}
    >
      <strong>{time(at)}</strong>
      {mark !== undefined ? (
        <span>{mark.label}</span>
      ) : (
        place.kind !== "recorded" && <span>{placeWords(place)}</span>
      )}
    </div>
  );
}

export function placeWords(place: Place): string {
  switch (place.kind) {
    case "recorded":
      return "recorded";
    case "gap":
      return causeWords(place.cause);
    case "future":
      return "Still to come";
    case "nothing":
      return "Nothing recorded";
  }
}

/* both ends of a range, for pointers and for keys */
function Handles(
  props: TimelineProps & {
    selection: Span;
    width: number;
    root: { current: HTMLElement | null };
  },
) {
  const { selection, view, width, root, onSelection } = props;

  const handle = (name: "from" | "to", other: number) => {
    const at = selection[name];
    const x = toX(view, width, at);

    /* neither end passes the other */
    const put = (to: number) =>
      onSelection(
        name === "from"
          ? Math.min(to, other - SECOND)
          : Math.max(to, other + SECOND),
        other,
      );

    return (
      <button
        type="button"
        className="timeline-handle"
        role="slider"
        aria-label={name === "from" ? "Beginning of the range" : "End of the range"}
        aria-valuenow={Math.round(at / SECOND)}
        aria-valuetext={time(at)}
        hidden={x < -1 || x > width + 1}
        style={{ left: x }}
        onPointerDown={(event) => {
          event.stopPropagation();
          event.currentTarget.setPointerCapture(event.pointerId);
        }}
        onPointerMove={(event) => {
          if (event.currentTarget.hasPointerCapture(event.pointerId)) {
            event.stopPropagation();
            put(toTime(view, width, event.clientX - left(root.current)));
          }
        }}
        onPointerUp={(event) => event.stopPropagation()}
        onKeyDown={(event) => {
          const step = { ArrowLeft: -SECOND, ArrowRight: SECOND }[event.key];

          if (step !== undefined) {
            event.preventDefault();
            event.stopPropagation();
            put(at + (event.shiftKey ? 10 * step : step));
          }
        }}
      />
    );
  };

  return (
    <>
      {handle("from", selection.to)}
      {handle("to", selection.from)}
    </>
  );
}

function left(element: Element | null): number {
  return element?.getBoundingClientRect().left ?? 0;
}
