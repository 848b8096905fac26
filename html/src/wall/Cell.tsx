/*
 * One camera on the wall: its picture without sound, or words for why there is
 * none, and its name.  A click or Enter leads to its own screen.
 *
 * It plays when it is seen and its turn has come.  While all turns are taken it
 * shows a still, and when it is gone from the screen it lets go of its own.
 */

import { type CSSProperties, useEffect, useRef, useState } from "react";
import { useMay, useServices } from "../app/services";
import { usePoster } from "../cameras/posters";
import { useSeen } from "../cameras/useSeen";
import { Icon } from "../design/Icon";
import { refusalWords } from "../design/Notice";
import { type Refusal, refusalOf } from "../outcome";
import { Live, type LiveState } from "../player/live";
import { useCamera } from "../queries";
import { href } from "../router";
import type { Camera } from "../types";
import type { Frame } from "./grid";
import { useLingering, useTurn } from "./useTurn";
import { type CellWords, cellWords } from "./words";

export const STILL_WIDTH = 640;

interface CellProps {
  id: string;
  order: number; // in which the cells come to their turns
}

export function Cell({ id, order }: CellProps) {
  const query = useCamera(id);

  if (query.data !== undefined && !isGone(query.error)) {
    return <CameraCell camera={query.data.value} order={order} />;
  }

  return query.isError ? (
    <NoCamera id={id} refusal={refusalOf(query.error)} />
  ) : (
    <div className="wall-picture skeleton" aria-busy="true" />
  );
}

function isGone(error: Error | null): boolean {
  return error !== null && ["missing", "denied"].includes(refusalOf(error).kind);
}

function NoCamera({ id, refusal }: { id: string; refusal: Refusal }) {
  const { icon } = refusalWords(refusal);
  const gone = refusal.kind === "missing";

  return (
    <div className="wall-picture" data-camera={id} data-state={refusal.kind}>
      <p className="wall-words">
        <Icon name={gone ? "camera-off" : icon} size={22} />
        {gone
          ? "This camera is gone, or not for you to see"
          : refusalWords(refusal).title}
      </p>
    </div>
  );
}

function CameraCell({ camera, order }: { camera: Camera; order: number }) {
  const { id, name } = camera;
  const link = useRef<HTMLAnchorElement>(null);
  const video = useRef<HTMLVideoElement>(null);
  const views = useMay("streams:view");
  const seen = useSeen(link);
  const lingers = useLingering(seen);
  const sends = camera.isActive && camera.streamStatus === "online";
  const turn = useTurn(order, lingers && sends && views);
  const state = useLive(video, id, turn === "playing");
  const poster = usePoster(id, STILL_WIDTH, seen && turn === "full");
  const words = cellWords(camera, views, turn, state);
  const plays = turn === "playing" && state.kind === "live";

  return (
    <a
      ref={link}
      className="wall-picture"
      href={href({ kind: "camera", id })}
      aria-label={`${name}, ${words.word}`}
      data-camera={id}
      data-state={turn === "playing" ? state.kind : (turn ?? "none")}
      data-old={!sends}
    >
      {poster.url !== undefined && <img src={poster.url} alt="" />}
      <video ref={video} muted playsInline autoPlay tabIndex={-1} />
      {!plays && (turn !== "full" || poster.url === undefined) && (
        <Words words={words} />
      )}
      <span className="wall-name">
        <i data-tone={words.tone} />
        <span>{name}</span>
        {turn === "full" && <small>Still</small>}
        {plays && camera.isRecording && <small data-recorded="">REC</small>}
      </span>
    </a>
  );
}

function Words({ words }: { words: CellWords }) {
  return (
    <span className="wall-words">
      {words.icon === undefined ? (
        <span className="spinner" />
      ) : (
        <Icon name={words.icon} size={22} />
      )}
      {words.word}
    </span>
  );
}

/* plays the camera while `on` */
function useLive(
  video: { current: HTMLVideoElement | null },
  id: string,
  on: boolean,
): LiveState {
  const { api } = useServices();
  const [state, setState] = useState<LiveState>({ kind: "connecting" });

  useEffect(() => {
    if (!on || video.current === null) {
      return;
    }

    const live = new Live(
      video.current,
      (signal) => api.streamUrl(id, signal),
      (next) => setState((before) => (isSame(before, next) ? before : next)),
      "calm",
    );

    live.start();
    return () => {
      live.close();
      setState({ kind: "connecting" });
    };
  }, [api, video, id, on]);

  return state;
}

/* how far it is behind is said twice a second, and shown nowhere here */
function isSame(a: LiveState, b: LiveState): boolean {
  return a.kind === b.kind && a.kind === "live";
}

/* where a cell stands; on a phone the style sheet has it otherwise */
export function placed({ x, y, width, height }: Frame): CSSProperties {
  return {
    "--column": `${x + 1} / span ${width}`,
    "--row": `${y + 1} / span ${height}`,
  } as CSSProperties;
}
