/*
 * Plays a camera, not a link: asks for a signed address, hands it to a player,
 * and asks for another one when that is refused.
 *
 *   connecting   an address or the first picture is awaited [ask, play]
 *   live         pictures advance
 *   interrupted  they did; the camera or the way to it pauses
 *   offline      there was none so far
 *   away         the server gives no address now; asked again [later]
 *   refused      this user may not look, or there is no such camera; final
 *   failed       this browser cannot play it; final
 */

import type { Outcome, Refusal } from "../outcome";
import type { StreamUrl } from "../types";
import { type Pace, Player, type State } from "./player";

export type LiveState =
  | { kind: "connecting" }
  | { kind: "live"; delaySeconds: number | undefined }
  | { kind: "interrupted" }
  | { kind: "offline" }
  | { kind: "away"; refusal: Refusal }
  | { kind: "refused"; refusal: Refusal }
  | { kind: "failed"; reason: string };

export type AskAddress = (signal: AbortSignal) => Promise<Outcome<StreamUrl>>;

const AGAIN_MS = 3000;

export class Live {
  private readonly abort = new AbortController();
  private player: Player | undefined;
  private timer: number | undefined;
  private wasLive = false;

  constructor(
    private readonly video: HTMLVideoElement,
    private readonly askAddress: AskAddress,
    private readonly onState: (state: LiveState) => void,
    private readonly pace: Pace = "near",
  ) {}

  start(): void {
    this.onState({ kind: "connecting" });
    void this.ask();
  }

  close(): void {
    this.abort.abort();
    window.clearTimeout(this.timer);
    this.player?.close();
    this.player = undefined;
  }

  private async ask(): Promise<void> {
    const { signal } = this.abort;
    let outcome: Outcome<StreamUrl>;

    try {
      outcome = await this.askAddress(signal);
    } catch {
      return; // closed
    }

    if (signal.aborted) {
      return;
    }

    switch (outcome.kind) {
      case "ok":
        this.play(outcome.value.url);
        break;
      case "denied":
      case "missing":
        this.onState({ kind: "refused", refusal: outcome });
        break;
      default:
        this.onState({ kind: "away", refusal: outcome });
        this.later("seconds" in outcome ? outcome.seconds * 1000 : AGAIN_MS);
    }
  }

  /*
   * Under whichever name this page was opened, its server has the media, too;
   * the policy of the page admits no other.
   */
  private play(url: string): void {
    const { pathname, search } = new URL(url, location.href);
    const own = new URL(pathname + search, location.href).href;

    this.player?.close();
    this.player = new Player(
      this.video,
      own,
      (state) => this.on(state),
      this.pace,
    );
    this.player.start();
  }

  private on(state: State): void {
    switch (state.kind) {
      case "connecting":
        break; // said already, or it is an interruption
      case "live":
        this.wasLive = true;
        this.onState(state);
        break;
      case "offline":
        this.onState({ kind: this.wasLive ? "interrupted" : "offline" });
        break;
      case "refused":
        this.onState({ kind: this.wasLive ? "interrupted" : "connecting" });
        this.later(AGAIN_MS);
        break;
      case "failed":
        this.onState(state);
    }
  }

  private later(ms: number): void {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.ask(), ms);
  }
}
