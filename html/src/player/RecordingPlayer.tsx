/*
 * The recording of a camera on the same stage as its live picture: what moment
 * is shown, in words, and what one can do with it.
 */

import {
  type KeyboardEvent,
  useCallback,
  useEffect,
  useRef,
  useState,
} from "react";
import { useServices } from "../app/services";
import { Icon, type IconName } from "../design/Icon";
import { refusalWords } from "../design/Notice";
import { date, time } from "../recordings/words";
import type { Camera } from "../types";
import { Control, fillScreen } from "./controls";
import { Recording, type RecordedState } from "./recorded";
import "./player.css";

export interface Moment {
  at: number; // Unix milliseconds
}

interface PlayerProps {
  camera: Pick<Camera, "id" | "name" | "streamStatus">;
  seek: Moment; // another object plays anew, also from the same moment
  onPosition: (at: number) => void;
  onSeek: (at: number) => void;
  onEnd: (at: number) => void;
  onLive: () => void;
}

const STEP_MS = 10_000;
const SPEEDS = [0.5, 1, 2, 4, 8];

export function RecordingPlayer(props: PlayerProps) {
  const { camera, seek, onPosition, onEnd, onLive } = props;
  const { api } = useServices();
  const stage = useRef<HTMLDivElement>(null);
  const video = useRef<HTMLVideoElement>(null);
  const recording = useRef<Recording>(undefined);
  const position = useRef(seek.at);
  const [state, setState] = useState<RecordedState>({ kind: "seeking" });
  const [shown, setShown] = useState(seek.at);
  const [muted, setMuted] = useState(true);
  const [speed, setSpeed] = useState(1);
  const status = camera.streamStatus;
  const latest = useRef({ status, onPosition, onEnd, onLive });

  latest.current = { status, onPosition, onEnd, onLive };

  useEffect(() => {
    if (video.current === null) {
      return;
    }

    const one = new Recording(
      video.current,
      {
        range: (from, to, signal) =>
          api.recordings.playback(camera.id, { from, to }, signal),
        live: (from, signal) => api.streamUrl(camera.id, signal, from),
        isOnAir: () => latest.current.status === "online",
      },
      {
        onState: (next) => {
          setState(next);

          if (next.kind === "ended" || next.kind === "nothing") {
            latest.current.onEnd(position.current);
          } else if (next.kind === "live") {
            latest.current.onLive();
          }
        },
        onPosition: (at) => {
          position.current = at;
          setShown(at);
          latest.current.onPosition(at);
        },
      },
    );

    recording.current = one;
    return () => one.close();
  }, [api, camera.id]);

  useEffect(() => {
    position.current = seek.at;
    setShown(seek.at);
    recording.current?.seek(seek.at);
  }, [seek]);

  useEffect(() => {
    if (video.current !== null) {
      video.current.defaultPlaybackRate = speed;
      video.current.playbackRate = speed;
    }
  }, [speed]);

  const toggle = useCallback(() => recording.current?.toggle(), []);
  const step = (ms: number) => props.onSeek(position.current + ms);

  const toggleSound = () => {
    if (video.current !== null) {
      video.current.muted = !video.current.muted;
    }
  };

  const onKeyDown = (event: KeyboardEvent) => {
    switch (event.key) {
      case "m":
        toggleSound();
        break;
      case "f":
        fillScreen(stage.current, video.current);
    }
  };

  return (
    <div
      className="player"
      ref={stage}
      data-state={state.kind}
      data-recorded=""
      role="group"
      aria-label={`Recording of ${camera.name}`}
      onKeyDown={onKeyDown}
    >
      <video
        ref={video}
        playsInline
        muted
        onVolumeChange={() => setMuted(video.current?.muted ?? true)}
        onClick={toggle}
        onDoubleClick={() => fillScreen(stage.current, video.current)}
      />
      <Overlay state={state} />
      <div className="player-bar">
        <Control
          icon={state.kind === "paused" ? "play" : "pause"}
          label={state.kind === "paused" ? "Play" : "Pause"}
          toggles
          onClick={toggle}
        />
        <Control
          icon="back-step"
          label="10 seconds back"
          onClick={() => step(-STEP_MS)}
        />
        <Control
          icon="ahead"
          label="10 seconds ahead"
          onClick={() => step(STEP_MS)}
        />
        <time className="player-time" dateTime={new Date(shown).toISOString()}>
          <span>{date(shown)}</span> {time(shown)}
        </time>
        <span className="player-space" />
        <label className="player-speed">
          <span className="for-readers">Speed</span>
          <select
            name="speed"
            value={speed}
            onChange={(event) => setSpeed(Number(event.target.value))}
          >
            {SPEEDS.map((one) => (
              <option key={one} value={one}>
                {one}×
              </option>
            ))}
          </select>
        </label>
        <Control
          icon={muted ? "mute" : "sound"}
          label={muted ? "Sound on" : "Sound off"}
          onClick={toggleSound}
        />
        <Control
          icon="full"
          label="Full screen"
          onClick={() => fillScreen(stage.current, video.current)}
        />
        <button type="button" className="player-live" onClick={props.onLive}>
          <i aria-hidden="true" />
          Live
        </button>
      </div>
    </div>
  );
}

function Overlay({ state }: { state: RecordedState }) {
  const words = overlayWords(state);

  return words === undefined ? null : (
    <div className="player-overlay" role="status">
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

interface Words {
  icon: IconName | undefined; // none: a spinner
  title: string;
  text?: string;
}

function overlayWords(state: RecordedState): Words | undefined {
  switch (state.kind) {
    case "playing":
    case "paused":
    case "ended":
    case "live":
      return undefined;

    case "seeking":
      return { icon: undefined, title: "Looking it up" };

    case "nothing":
      return {
        icon: "search",
        title: "Nothing was recorded here",
        text: "The timeline shows what there is.",
      };

    case "away":
      return {
        icon: "plug",
        title: refusalWords(state.refusal).title,
        text: "It is asked again by itself.",
      };

    case "refused": {
      const { icon, title, text } = refusalWords(state.refusal);

      return { icon, title, text };
    }

    case "failed":
      return { icon: "alert", title: "Cannot play", text: state.reason };
  }
}
