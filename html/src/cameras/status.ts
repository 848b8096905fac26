/* Names and colours for what a camera does. */

import type { Tone } from "../design/Notice";
import type { Camera, StreamStatus } from "../types";

export interface StatusWords {
  word: string;
  tone: Tone;
}

const WORDS: Record<StreamStatus, StatusWords> = {
  online: { word: "Live", tone: "good" },
  connecting: { word: "Connecting", tone: "warn" },
  offline: { word: "Offline", tone: "calm" },
  error: { word: "Error", tone: "bad" },
};

export function statusWords(status: StreamStatus): StatusWords {
  return WORDS[status];
}

/* a camera that may not send is not merely offline */
export function cameraWords(
  camera: Pick<Camera, "isActive" | "streamStatus">,
): StatusWords {
  return camera.isActive
    ? statusWords(camera.streamStatus)
    : { word: "Switched off", tone: "calm" };
}
