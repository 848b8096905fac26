/* What is written about a cell of the wall, and about a layout. */

import { cameraWords } from "../cameras/status";
import type { IconName } from "../design/Icon";
import { refusalWords, type Tone } from "../design/Notice";
import { fieldMessage } from "../messages";
import type { Refusal } from "../outcome";
import type { LiveState } from "../player/live";
import type { Camera } from "../types";
import type { Frame } from "./grid";
import type { Turn } from "./turns";

export interface CellWords {
  word: string;
  tone: Tone;
  icon?: IconName; // none: a spinner, or nothing over a picture
}

/* whatever keeps a camera from being seen comes before how it plays */
export function cellWords(
  camera: Pick<Camera, "isActive" | "streamStatus">,
  views: boolean,
  turn: Turn | undefined,
  state: LiveState,
): CellWords {
  if (!views) {
    return { word: "Not for your role", tone: "calm", icon: "lock" };
  }

  if (!camera.isActive || camera.streamStatus !== "online") {
    const { word, tone } = cameraWords(camera);

    return camera.isActive && camera.streamStatus === "connecting"
      ? { word, tone }
      : { word, tone, icon: camera.isActive ? "camera-off" : "stop" };
  }

  if (turn === "full") {
    return { word: "Still picture", tone: "calm", icon: "camera" };
  }

  return turn === "playing"
    ? playingWords(state)
    : { word: "Connecting", tone: "warn" };
}

function playingWords(state: LiveState): CellWords {
  switch (state.kind) {
    case "live":
      return { word: "Live", tone: "good" };
    case "connecting":
      return { word: "Connecting", tone: "warn" };
    case "interrupted":
      return { word: "Reconnecting", tone: "warn" };
    case "offline":
      return { word: "No picture", tone: "calm" };
    case "away":
      return { word: refusalWords(state.refusal).title, tone: "warn" };
    case "refused":
      return {
        word: refusalWords(state.refusal).title,
        tone: "bad",
        icon: "lock",
      };
    case "failed":
      return { word: "Cannot play", tone: "bad", icon: "alert" };
  }
}

/* where a camera stands, and how large it is when it is not as small as can be */
export function placeWords({ x, y, width, height }: Frame): string {
  const place = `column ${x + 1}, row ${y + 1}`;

  return width === 1 && height === 1
    ? place
    : `${place}, ${width} wide, ${height} high`;
}

/* a name that another layout has is said at its field, too */
export function nameMessage(refusal: Refusal | undefined): string | undefined {
  return isTaken(refusal)
    ? "Another layout of yours has it."
    : fieldMessage(refusal, "name");
}

export function isTaken(refusal: Refusal | undefined): boolean {
  return refusal?.kind === "conflict" && refusal.code === "NAME_DUPLICATE";
}

export function lostWords(n: number): string {
  return n === 1
    ? "One camera has no place any more."
    : `${n} cameras have no place any more.`;
}
