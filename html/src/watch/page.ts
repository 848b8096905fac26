/*
 * The watch page: one signed address, one picture, its state in words.
 */

import "./watch.css";
import { readAddress } from "./address";
import { Player, type State } from "../player/player";

interface Words {
  badge: string;
  title?: string;
  text?: string;
}

const video = element("video") as HTMLVideoElement;
const badge = element("badge");
const badgeText = element("badge-text");
const delay = element("delay");
const notice = element("notice");
const mute = element("mute");

let player: Player | undefined;

function element(id: string): HTMLElement {
  const found = document.getElementById(id);

  if (found === null) {
    throw new Error(`no element "${id}"`);
  }

  return found;
}

function words(state: State): Words {
  switch (state.kind) {
    case "connecting":
      return { badge: "Connecting" };

    case "live":
      return { badge: "Live" };

    case "offline":
      return {
        badge: "Offline",
        title: "The camera sends no picture",
        text: "Retrying – the picture returns by itself.",
      };

    case "refused":
      return state.reason === "crowded"
        ? {
            badge: "Refused",
            title: "Too many viewers use this link",
            text: "Close another window or ask for a link of your own.",
          }
        : {
            badge: "Expired",
            title: "This link has expired",
            text: "Or it was withdrawn. Ask for a new one.",
          };

    case "failed":
      return { badge: "Failed", title: "Cannot play", text: state.reason };
  }
}

function show(state: State): void {
  const { badge: word, title, text } = words(state);

  badge.dataset["state"] = state.kind;
  badgeText.textContent = word;
  delay.textContent =
    state.kind === "live" && state.delaySeconds !== undefined
      ? `${state.delaySeconds.toFixed(1)} s behind`
      : "";

  notice.hidden = title === undefined;
  element("notice-title").textContent = title ?? "";
  element("notice-text").textContent = text ?? "";
}

function open(): void {
  player?.close();
  player = undefined;

  const address = readAddress(new URL(location.href));

  switch (address.kind) {
    case "missing":
      show({ kind: "failed", reason: "The link carries no camera address." });
      return;

    case "foreign":
      show({ kind: "failed", reason: "The link points to another server." });
      return;

    case "play":
      player = new Player(video, address.url, show);
      player.start();
  }
}

function showMuted(): void {
  mute.setAttribute("aria-pressed", String(video.muted));
  mute.textContent = video.muted ? "Sound on" : "Mute";
}

mute.addEventListener("click", () => {
  video.muted = !video.muted;
  void video.play().catch(() => undefined);
});

element("full").addEventListener("click", () => {
  void video.requestFullscreen?.().catch(() => undefined);
});

video.addEventListener("volumechange", showMuted);
video.addEventListener("click", () => void video.play().catch(() => undefined));
window.addEventListener("hashchange", open);

showMuted();
open();
