/*
 * The live picture of a camera with its state in words and what one can do
 * with it: sound, a small window, the whole screen, a still to keep.  It stands
 * still when somebody may go on from there: what they missed is recorded.
 */

import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import { useServices } from "../app/services";
import { Rec } from "../cameras/CameraCard";
import { Icon, type IconName } from "../design/Icon";
import { refusalWords } from "../design/Notice";
import { useToast } from "../design/Toasts";
import { useStreamState } from "../queries";
import type { Camera } from "../types";
import { Control, fillScreen, toggleSmallWindow } from "./controls";
import { Live, type LiveState } from "./live";
import "./player.css";

const HIDDEN_MS = 60_000;

interface PlayerProps {
  camera: Pick<Camera, "id" | "name" | "isActive">;
  poster?: string | undefined;
  onLive?: () => void;
  onResume?: (at: number) => void; // goes on with the moment it stood still at
}

export function LivePlayer(props: PlayerProps) {
  const { camera, poster, onLive, onResume } = props;
  const { api } = useServices();
  const stage = useRef<HTMLDivElement>(null);
  const video = useRef<HTMLVideoElement>(null);
  const [state, setState] = useState<LiveState>({ kind: "connecting" });
  const [muted, setMuted] = useState(true);
  const [still, setStill] = useState<number>(); // the moment it stands still at
  const isLive = state.kind === "live";

  useEffect(() => {
    if (video.current === null) {
      return;
    }

    const element = video.current;

    return whileSeen(element, () => {
      const live = new Live(
        element,
        (signal) => api.streamUrl(camera.id, signal),
        setState,
      );

      live.start();
      return live;
    });
  }, [api, camera.id]);

  useEffect(() => {
    if (isLive) {
      onLive?.();
    }
  }, [isLive, onLive]);

  const toggleSound = () => {
    if (video.current !== null) {
      video.current.muted = !video.current.muted;
      void video.current.play().catch(() => undefined);
    }
  };

  const toggle = () => {
    if (still === undefined) {
      const delay = state.kind === "live" ? (state.delaySeconds ?? 0) : 0;

      video.current?.pause();
      setStill(Date.now() - delay * 1000);
    } else {
      void video.current?.play().catch(() => undefined);
      onResume?.(still);
    }
  };

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "m") {
      toggleSound();
    } else if (event.key === "f") {
      fillScreen(stage.current, video.current);
    }
  };

  return (
    <div
      className="player"
      ref={stage}
      data-state={state.kind}
      role="group"
      aria-label={`Live picture of ${camera.name}`}
      onKeyDown={onKeyDown}
    >
      <video
        ref={video}
        poster={poster}
        playsInline
        muted
        autoPlay
        onPlay={() => setStill(undefined)}
        onVolumeChange={() => setMuted(video.current?.muted ?? true)}
        onDoubleClick={() => fillScreen(stage.current, video.current)}
      />
      <Overlay state={state} isActive={camera.isActive} />
      <div className="player-bar">
        {onResume !== undefined && (
          <Control
            icon={still === undefined ? "pause" : "play"}
            label={still === undefined ? "Pause" : "Play"}
            disabled={!isLive}
            toggles
            onClick={toggle}
          />
        )}
        <PlayerBadge id={camera.id} state={state} isStill={still !== undefined} />
        <span className="player-space" />
        <Control
          icon={muted ? "mute" : "sound"}
          label={muted ? "Sound on" : "Sound off"}
          disabled={!isLive}
          onClick={toggleSound}
        />
        <SaveStill camera={camera} disabled={!isLive} />
        {"requestPictureInPicture" in HTMLVideoElement.prototype && (
          <Control
            icon="pip"
            label="Small window"
            disabled={!isLive}
            onClick={() => toggleSmallWindow(video.current)}
          />
        )}
        <Control
          icon="full"
          label="Full screen"
          onClick={() => fillScreen(stage.current, video.current)}
        />
      </div>
    </div>
  );
}

interface BadgeProps {
  id: string;
  state: LiveState;
  isStill: boolean;
}

function PlayerBadge({ id, state, isStill }: BadgeProps) {
  const { badge, tone } = isStill
    ? { badge: "Paused", tone: "calm" }
    : badgeWords(state);
  const recorded = useStreamState(id).data?.recording?.state === "recording";

  return (
    <span className="player-state" role="status">
      <span className="badge" data-tone={tone} data-on-picture="">
        <i aria-hidden="true" />
        {badge}
      </span>
      {state.kind === "live" && recorded && <Rec />}
      {state.kind === "live" && !isStill && state.delaySeconds !== undefined && (
        <span className="player-delay" aria-hidden="true">
          {state.delaySeconds.toFixed(1)} s behind
        </span>
      )}
    </span>
  );
}

function badgeWords(state: LiveState): { badge: string; tone: string } {
  switch (state.kind) {
    case "connecting":
      return { badge: "Connecting", tone: "warn" };
    case "live":
      return { badge: "Live", tone: "good" };
    case "interrupted":
      return { badge: "Reconnecting", tone: "warn" };
    case "offline":
      return { badge: "Offline", tone: "calm" };
    case "away":
      return { badge: "Waiting for the server", tone: "warn" };
    case "refused":
      return { badge: "Not available", tone: "bad" };
    case "failed":
      return { badge: "Cannot play", tone: "bad" };
  }
}

interface OverlayWords {
  icon: IconName | undefined; // none: a spinner
  title: string;
  text?: string;
}

function Overlay({ state, isActive }: { state: LiveState; isActive: boolean }) {
  const words = overlayWords(state, isActive);

  return words === undefined ? null : (
    <div className="player-overlay">
      {words.icon === undefined ? (
        <span className="spinner" />
      ) : (
        <Icon name={words.icon} size={30} />
      )}
      <strong>{words.title}</strong>
      {words.text !== undefined && <p>{words.text}</p>}
    </div>
  );
}

function overlayWords(
  state: LiveState,
  isActive: boolean,
): OverlayWords | undefined {
  switch (state.kind) {
    case "live":
      return undefined;

    case "connecting":
      return { icon: undefined, title: "Connecting" };

    case "interrupted":
      return {
        icon: undefined,
        title: "The picture is interrupted",
        text: "It returns by itself.",
      };

    case "offline":
      return isActive
        ? {
            icon: "camera-off",
            title: "The camera sends no picture",
            text: "It appears here by itself as soon as there is one.",
          }
        : {
            icon: "stop",
            title: "This camera is switched off",
            text: "It may not send until it is switched on again.",
          };

    case "away": {
      const { title } = refusalWords(state.refusal);

      return { icon: "plug", title, text: "It is asked again by itself." };
    }

    case "refused": {
      const { icon, title, text } = refusalWords(state.refusal);

      return { icon, title, text };
    }

    case "failed":
      return { icon: "alert", title: "Cannot play", text: state.reason };
  }
}

function SaveStill(props: {
  camera: Pick<Camera, "id" | "name">;
  disabled: boolean;
}) {
  const { api } = useServices();
  const say = useToast();
  const { id, name } = props.camera;

  const save = async () => {
    const outcome = await api.snapshot(id, 1280);

    if (outcome.kind !== "ok") {
      say(`No picture was saved. ${refusalWords(outcome).title}.`, "bad");
      return;
    }

    const link = document.createElement("a");
    const at = new Date().toISOString().slice(0, 19).replace(/[T:]/g, "-");

    link.href = URL.createObjectURL(outcome.value);
    link.download = `${name.replace(/[^\p{L}\p{N} _-]/gu, "_")} ${at}.jpg`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  };

  return (
    <Control
      icon="download"
      label="Save a still"
      disabled={props.disabled}
      onClick={() => void save()}
    />
  );
}

/*
 * A tab that nobody has looked at for a while plays to nobody, unless it is
 * listened to, or its picture stands in a small window.
 */
function whileSeen(video: HTMLVideoElement, open: () => Live): () => void {
  let live: Live | undefined = open();
  let timer: ReturnType<typeof setTimeout> | undefined;

  const rest = () => {
    if (video.muted && document.pictureInPictureElement === null) {
      live?.close();
      live = undefined;
    }
  };

  const look = () => {
    clearTimeout(timer);

    if (document.visibilityState === "visible") {
      live ??= open();
    } else {
      timer = setTimeout(rest, HIDDEN_MS);
    }
  };

  document.addEventListener("visibilitychange", look);

  return () => {
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", look);
    live?.close();
  };
}
