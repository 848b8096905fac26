/*
 * Plays what was recorded of a camera into a <video>, by the clock on the wall.
 *
 *   seeking   an address, a playlist or the first picture is awaited [seek]
 *   playing   pictures advance
 *   paused    by the viewer
 *   ended     what the address reaches has been played [end]
 *   live      it has come so close to now that it is live [tell]
 *   nothing   there is nothing from that moment on [nothing]
 *   away      the server does not give it now; asked again [later]
 *   refused   this user may not look; final
 *   failed    this browser cannot play it; final
 *
 * What was a while ago is played off the live list that reaches back: it goes on
 * into live, so nothing breaks off where the recording ended when somebody
 * looked, and who pauses goes on where they were.  Everything else, and all of
 * a camera that is off the air or not recorded now, is a range of at most an
 * hour, so that its playlist is short and the first picture comes soon.  A
 * moment that a list has is found without another.
 */

import Hls from "hls.js/light";
import type { ErrorData, LevelDetails } from "hls.js";
import type { Outcome, Refusal } from "../outcome";
import { mediaAt, type Piece, wallAt } from "./wall";

export type RecordedState =
  | { kind: "seeking" }
  | { kind: "playing" }
  | { kind: "paused" }
  | { kind: "ended" }
  | { kind: "live" }
  | { kind: "nothing" }
  | { kind: "away"; refusal: Refusal }
  | { kind: "refused"; refusal: Refusal }
  | { kind: "failed"; reason: string };

type Address = Promise<Outcome<{ url: string }>>;

export interface Ask {
  range: (from: number, to: number, signal: AbortSignal) => Address;
  live: (from: number, signal: AbortSignal) => Address; // and on to live
  isOnAir: () => boolean; // as far as is known: there is a list to ask for
}

interface Listener {
  onState: (state: RecordedState) => void;
  onPosition: (at: number) => void;
}

const REACH_MS = 3_600_000;
const LATE_MS = 10_000; // behind the moment, a list that begins is another one
const EDGE_S = 0.3; // before the place to be live at
const AGAIN_MS = 2000;
const RECOVERIES = 2;

export class Recording {
  private hls: Hls | undefined;
  private pieces: Piece[] = [];
  private wanted = 0; // the moment that was asked for
  private abort = new AbortController();
  private timer: number | undefined;
  private recoveries = 0;
  private reaches = false; // back from live: the list that is played
  private isRange = false; // none reaches back from there
  private readonly events = new AbortController();

  constructor(
    private readonly video: HTMLVideoElement,
    private readonly ask: Ask,
    private readonly listener: Listener,
  ) {
    const { signal } = this.events;
    const on = (name: string, action: () => void) =>
      video.addEventListener(name, action, { signal });

    on("timeupdate", () => this.tell());
    on("playing", () => this.enter("playing"));
    on("waiting", () => this.enter("seeking"));
    on("seeking", () => this.enter("seeking"));
    on("pause", () => video.ended || this.enter("paused"));
    on("ended", () => this.enter("ended"));
  }

  close(): void {
    this.events.abort();
    this.release();
    this.video.removeAttribute("src");
  }

  /* plays from the moment on */
  seek(at: number): void {
    const media = mediaAt(this.pieces, at);
    const first = this.pieces[0];

    this.wanted = at;

    if (media !== undefined && first !== undefined && at >= first.wall) {
      this.video.currentTime = media;
      void this.play();
    } else {
      this.isRange = false;
      void this.load();
    }
  }

  toggle(): void {
    if (this.video.paused) {
      void this.play();
    } else {
      this.video.pause();
    }
  }

  private async load(): Promise<void> {
    this.release();
    this.enter("seeking");

    const { signal } = this.abort;
    const reaches = this.mayReach();
    let outcome: Outcome<{ url: string }>;

    try {
      outcome = await this.address(reaches, signal);
    } catch {
      return; // closed, or asked for another moment
    }

    if (signal.aborted) {
      return;
    }

    switch (outcome.kind) {
      case "ok":
        this.reaches = reaches;
        this.open(outcome.value.url);
        break;
      case "missing":
        this.listener.onState({ kind: "nothing" });
        break;
      case "denied":
        this.listener.onState({ kind: "refused", refusal: outcome });
        break;
      default:
        this.listener.onState({ kind: "away", refusal: outcome });
        this.later("seconds" in outcome ? outcome.seconds * 1000 : AGAIN_MS);
    }
  }

  /* Safari without Media Source is left to ranges, which it can measure */
  private mayReach(): boolean {
    return (
      !this.isRange &&
      this.wanted > Date.now() - REACH_MS &&
      this.ask.isOnAir() &&
      Hls.isSupported()
    );
  }

  private async address(reaches: boolean, signal: AbortSignal): Address {
    const from = Math.floor(this.wanted);

    if (!reaches) {
      const to = Math.max(Math.min(from + REACH_MS, Date.now()), from + 1000);

      return this.ask.range(from, to, signal);
    }

    return this.ask.live(from, signal);
  }

  /* from this page's own server, under whichever name it was opened */
  private open(url: string): void {
    const { pathname, search } = new URL(url, location.href);
    const own = new URL(pathname + search, location.href).href;

    if (Hls.isSupported()) {
      this.openHls(own);
    } else if (this.video.canPlayType("application/vnd.apple.mpegurl") !== "") {
      this.openNative(own);
    } else {
      this.fail("This browser can play neither Media Source nor HLS.");
    }
  }

  private openHls(url: string): void {
    const hls = new Hls({
      enableWorker: false, // nothing to transmux, and no blob: worker in CSP
      lowLatencyMode: this.reaches,
      liveDurationInfinity: true,
      maxBufferLength: 20,
      backBufferLength: 60,
    });

    /* whole, also when the server sent what is new alone */
    hls.on(Hls.Events.LEVEL_UPDATED, (_event, data) =>
      this.onPieces(data.details),
    );
    hls.on(Hls.Events.ERROR, (_event, data) => this.onError(data));
    hls.attachMedia(this.video);
    hls.loadSource(url);
    this.hls = hls;
  }

  private onPieces(details: LevelDetails): void {
    const isFirst = this.pieces.length === 0;

    this.pieces = details.fragments.flatMap((one) =>
      one.programDateTime === null || one.gap === true
        ? []
        : [
            {
              start: one.start,
              duration: one.duration,
              wall: one.programDateTime,
            },
          ],
    );

    if (!isFirst) {
      return;
    }

    /* the playlist itself says where in it the moment is */
    if (this.reaches && this.isLate()) {
      this.takeRange();
    } else if (mediaAt(this.pieces, this.wanted) === undefined) {
      this.nothing();
    } else {
      void this.play();
    }
  }

  /* it is the plain one, as nothing is recorded now, or begins behind a gap */
  private isLate(): boolean {
    const [first] = this.pieces;

    return first === undefined || first.wall > this.wanted + LATE_MS;
  }

  private takeRange(): void {
    this.isRange = true;
    void this.load();
  }

  /* Safari without Media Source says itself when its playlist begins */
  private openNative(url: string): void {
    const { video } = this;

    video.onloadedmetadata = () => {
      const { getStartDate } = video as { getStartDate?: () => Date };
      const wall = getStartDate?.call(video).getTime() ?? this.wanted;

      this.pieces = [{ start: 0, duration: video.duration, wall }];
      video.currentTime = mediaAt(this.pieces, this.wanted) ?? 0;
      void this.play();
    };
    video.onerror = () => this.later(AGAIN_MS);
    video.src = url;
  }

  private onError(data: ErrorData): void {
    if (!data.fatal) {
      return;
    }

    const status = data.response?.code ?? 0;

    if (data.type === Hls.ErrorTypes.NETWORK_ERROR && this.reaches) {
      this.onLost();
    } else if (data.type === Hls.ErrorTypes.NETWORK_ERROR && status === 404) {
      this.nothing();
    } else if (data.type === Hls.ErrorTypes.NETWORK_ERROR) {
      this.wanted = this.position() ?? this.wanted;
      this.enter("seeking");
      this.later(AGAIN_MS);
    } else if (data.details === "levelEmptyError") {
      this.nothing();
    } else if (this.recoveries++ < RECOVERIES) {
      /* another kind of sound or picture needs other buffers: anew behind it */
      this.wanted = (this.position() ?? this.wanted) + 1000;
      void this.load();
    } else {
      this.fail(data.details);
    }
  }

  /* the camera is off the air, or was: what it recorded is there all the same */
  private onLost(): void {
    this.wanted = this.position() ?? this.wanted;
    this.takeRange();
  }

  private later(ms: number): void {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.load(), ms);
  }

  private position(): number | undefined {
    return wallAt(this.pieces, this.video.currentTime);
  }

  private tell(): void {
    const at = this.position();

    if (at !== undefined && !this.video.seeking) {
      this.recoveries = 0;
      this.listener.onPosition(at);
    }

    if (this.reaches && this.isAtEdge()) {
      this.listener.onState({ kind: "live" });
    }
  }

  /* faster than live one comes there */
  private isAtEdge(): boolean {
    const live = this.hls?.liveSyncPosition;

    return (
      live != null &&
      !this.video.seeking &&
      this.video.currentTime > live - EDGE_S
    );
  }

  private play(): Promise<void> {
    /* playing with sound may be forbidden: the picture then waits for a click */
    return this.video.play().catch(() => undefined);
  }

  private enter(kind: "seeking" | "playing" | "paused" | "ended"): void {
    this.listener.onState({ kind });
  }

  private nothing(): void {
    this.release();
    this.listener.onState({ kind: "nothing" });
  }

  private fail(reason: string): void {
    this.release();
    this.listener.onState({ kind: "failed", reason });
  }

  private release(): void {
    this.abort.abort();
    this.abort = new AbortController();
    window.clearTimeout(this.timer);
    this.hls?.destroy();
    this.hls = undefined;
    this.pieces = [];
    this.reaches = false;
    this.video.onerror = null;
    this.video.onloadedmetadata = null;
  }
}
