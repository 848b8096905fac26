/*
 * A camera's picture, live or of a moment that was recorded, and beneath it
 * the timeline that leads from one to the other.  Space and the arrow keys
 * work wherever nothing else wants them.
 */

import { type ReactNode, useCallback, useEffect, useRef, useState } from "react";
import { useMay } from "../app/services";
import { LivePlayer } from "../player/LivePlayer";
import { type Moment, RecordingPlayer } from "../player/RecordingPlayer";
import { RecordingsPanel } from "../recordings/RecordingsPanel";
import { playable } from "../recordings/timeline";
import { paged, useRecordings } from "../recordings/useRecordings";
import type { Camera } from "../types";

const STEP_MS = 10_000;
const AT_END_MS = 15_000; // what is nearer to now than this is live

export function Watch(props: { camera: Camera; children: ReactNode }) {
  const reads = useMay("recordings:read");

  return reads ? (
    <WithRecordings {...props} />
  ) : (
    <>
      <LivePlayer key={props.camera.id} camera={props.camera} />
      {props.children}
    </>
  );
}

function WithRecordings(props: { camera: Camera; children: ReactNode }) {
  const { camera, children } = props;
  const recordings = useRecordings(camera.id);
  const root = useRef<HTMLDivElement>(null);
  const [seek, setSeek] = useState<Moment>();
  const [at, setAt] = useState<number>();
  const latest = useRef(recordings);

  latest.current = recordings;

  const onLive = useCallback(() => {
    setSeek(undefined);
    setAt(undefined);
    latest.current.showLast();
  }, []);

  /* a moment without a recording leads to the next one that has one */
  const onSeek = useCallback(
    (to: number) => {
      const { recorded, now, isToday } = latest.current;
      const from = playable(recorded, Math.min(to, now));

      if (isToday && to > now - STEP_MS / 2) {
        onLive();
      } else if (from !== undefined) {
        setSeek({ at: from });
        setAt(from);
        page(latest.current, from);
      }
    },
    [onLive],
  );

  /* what was recorded while it stood still; without a recording it is live */
  const onResume = useCallback(
    (from: number) => {
      const { spans } = latest.current.recorded;

      if (spans.some((span) => span.from <= from && from < span.to)) {
        onSeek(from);
      }
    },
    [onSeek],
  );

  const onPosition = useCallback((position: number) => {
    setAt(position);
    page(latest.current, position);
  }, []);

  const onEnd = useCallback(
    (position: number) => {
      const { recorded, now, isToday } = latest.current;
      const next = recorded.spans.find((span) => span.to > position + 1500);

      if (next !== undefined) {
        setSeek({ at: Math.max(position + 500, next.from) });
      } else if (isToday && now - position < 2 * AT_END_MS) {
        onLive();
      }
    },
    [onLive],
  );

  useKeys(root, (ms) => onSeek((at ?? Date.now()) + ms));

  return (
    <div className="watch" ref={root}>
      {seek === undefined ? (
        <LivePlayer key={camera.id} camera={camera} onResume={onResume} />
      ) : (
        <RecordingPlayer
          camera={camera}
          seek={seek}
          onPosition={onPosition}
          onSeek={onSeek}
          onEnd={onEnd}
          onLive={onLive}
        />
      )}
      {children}
      <RecordingsPanel
        camera={camera}
        recordings={recordings}
        at={at}
        onSeek={onSeek}
        onLive={onLive}
      />
    </div>
  );
}

/* turns the page of the timeline when the moment has left it */
function page(
  recordings: ReturnType<typeof useRecordings>,
  at: number,
): void {
  const { follows, view, limits, show } = recordings;
  const next = paged(view, at, limits);

  /* a view that moves on by itself would run away from what is played */
  if (follows || next !== undefined) {
    show(next ?? view);
  }
}

function useKeys(
  root: { current: HTMLElement | null },
  onStep: (ms: number) => void,
): void {
  const latest = useRef(onStep);

  latest.current = onStep;

  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTaken(event)) {
        return;
      }

      if (event.key === " ") {
        event.preventDefault();
        togglePlaying(root.current);
      } else if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
        event.preventDefault();
        latest.current(event.key === "ArrowLeft" ? -STEP_MS : STEP_MS);
      }
    };

    document.addEventListener("keydown", onKeyDown);
    return () => document.removeEventListener("keydown", onKeyDown);
  }, [root]);
}

/* by what has the focus, or by a dialog over everything */
function isTaken(event: KeyboardEvent): boolean {
  const target = event.target as HTMLElement;
  const usesKeys = "input, textarea, select, a, dialog, [role=dialog], [role=menu]";

  return (
    event.defaultPrevented ||
    target.closest(usesKeys) !== null ||
    document.querySelector("dialog[open]") !== null ||
    (event.key === " " && target.closest("button") !== null)
  );
}

function togglePlaying(root: HTMLElement | null): void {
  root?.querySelector<HTMLElement>("[data-toggle]:enabled")?.click();
}
