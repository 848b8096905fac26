/*
 * Plays one signed live address into a <video> and keeps at it.
 *
 *   connecting  the first picture is awaited [start, restart]
 *   live        pictures advance [onTimeUpdate]
 *   offline     the camera sends nothing; asked again every 2 s [retry]
 *   refused     the server will not show it, with its reason; final [refuse]
 *   failed      this browser cannot play it; final [fail]
 *
 * A session lives in the variant's address, so a pause of the camera is waited
 * out on the same session; the entrance is asked again only when the session
 * itself is refused, and a refusal there is the last word.
 */

import Hls from "hls.js/light";
import type { ErrorData, HlsConfig } from "hls.js";
import { PatientLoader } from "./patient";

export type State =
  | { kind: "connecting" }
  | { kind: "live"; delaySeconds: number | undefined }
  | { kind: "offline" }
  | { kind: "refused"; reason: "expired" | "crowded" }
  | { kind: "failed"; reason: string };

/*
 * near: as close to life as it goes, which keeps one of the browser's few
 * connections waiting all the time; calm: by whole segments, some seconds
 * behind, for many pictures at a time
 */
export type Pace = "near" | "calm";

const NEAR: Partial<HlsConfig> = {
  lowLatencyMode: true,
  backBufferLength: 30,
  maxLiveSyncPlaybackRate: 1.1,
};

const CALM: Partial<HlsConfig> = {
  lowLatencyMode: false,
  backBufferLength: 4,
  maxBufferLength: 12,
  pLoader: PatientLoader,
};

const RETRY_MS = 2000;
const STALL_MS = 5000;
const TICK_MS = 500;
const MAX_BEHIND_S = 3; // behind the place to be, before it is jumped to
const NATIVE = "application/vnd.apple.mpegurl";

export class Player {
  private hls: Hls | undefined;
  private ticker: number | undefined;
  private retryTimer: number | undefined;
  private lastTime = 0;
  private lastAdvance = 0;
  private sessionSeen = false;
  private final = false;

  constructor(
    private readonly video: HTMLVideoElement,
    private readonly url: string,
    private readonly onState: (state: State) => void,
    private readonly pace: Pace = "near",
  ) {}

  start(): void {
    this.onState({ kind: "connecting" });
    this.lastAdvance = performance.now();
    this.ticker = window.setInterval(() => this.tick(), TICK_MS);

    if (Hls.isSupported()) {
      this.startHls();
    } else if (this.video.canPlayType(NATIVE) !== "") {
      this.startNative();
    } else {
      this.fail("This browser can play neither Media Source nor HLS.");
    }
  }

  close(): void {
    window.clearInterval(this.ticker);
    window.clearTimeout(this.retryTimer);
    this.hls?.destroy();
    this.hls = undefined;
    this.video.onerror = null;
    this.video.removeAttribute("src");
  }

  private startHls(): void {
    const hls = new Hls({
      ...(this.pace === "near" ? NEAR : CALM),
      enableWorker: false, // nothing to transmux, and no blob: worker in CSP
      liveDurationInfinity: true,
    });

    hls.on(Hls.Events.ERROR, (_event, data) => this.onHlsError(data));
    hls.on(Hls.Events.LEVEL_LOADED, () => {
      this.sessionSeen = true;
    });
    hls.on(Hls.Events.MANIFEST_PARSED, () => this.play());

    hls.attachMedia(this.video);
    hls.loadSource(this.url);
    this.hls = hls;
  }

  private onHlsError(data: ErrorData): void {
    if (!data.fatal || this.final) {
      return;
    }

    if (data.type === Hls.ErrorTypes.MEDIA_ERROR) {
      if (data.frag?.sn === "initSegment") {
        this.rebuffer(data.frag.start);
      } else {
        this.hls?.recoverMediaError();
      }
      return;
    }

    if (data.type !== Hls.ErrorTypes.NETWORK_ERROR) {
      this.fail(data.details);
      return;
    }

    this.onStatus(data.response?.code ?? 0);
  }

  /*
   * Sound that comes late, or is gone, needs another kind of buffer, and a
   * media source cannot exchange its buffers: the video gets a new one, which
   * starts behind the change and not where the old kind would be needed again.
   */
  private rebuffer(start: number): void {
    this.hls?.detachMedia();
    this.hls?.attachMedia(this.video);
    this.hls?.startLoad(start + 0.1);
    this.play();
  }

  /* Safari without Media Source: the reason has to be asked for */
  private startNative(): void {
    this.video.onerror = () => {
      fetch(this.url, { cache: "no-store" }).then(
        (response) => this.onStatus(response.ok ? 0 : response.status),
        () => this.onStatus(0),
      );
    };

    this.video.src = this.url;
    this.play();
  }

  private onStatus(status: number): void {
    const denied = status === 401 || status === 403 || status === 410;

    if (denied && this.sessionSeen) {
      this.sessionSeen = false;
      this.retry(() => this.reenter());
    } else if (denied) {
      this.refuse("expired");
    } else if (status === 429) {
      this.refuse("crowded");
    } else {
      this.onState({ kind: "offline" });
      this.retry(() => this.resume());
    }
  }

  private retry(action: () => void): void {
    window.clearTimeout(this.retryTimer);
    this.retryTimer = window.setTimeout(action, RETRY_MS);
  }

  private resume(): void {
    if (this.hls !== undefined && this.sessionSeen) {
      this.hls.startLoad();
    } else {
      this.reenter();
    }
  }

  private reenter(): void {
    if (this.hls !== undefined) {
      this.hls.loadSource(this.url);
    } else {
      this.video.src = this.url;
      this.play();
    }
  }

  private play(): void {
    /* autoplay may be forbidden: the picture then waits for a click */
    this.video.play().catch(() => undefined);
  }

  private tick(): void {
    if (this.final) {
      return;
    }

    const now = performance.now();

    if (this.video.currentTime !== this.lastTime) {
      this.lastTime = this.video.currentTime;
      this.lastAdvance = now;
      this.onState({ kind: "live", delaySeconds: this.delay() });
      this.catchUp();
      return;
    }

    if (this.video.paused && this.video.readyState >= 3) {
      this.lastAdvance = now; // paused by the viewer
      return;
    }

    if (now - this.lastAdvance > STALL_MS) {
      this.lastAdvance = now;
      this.onState({ kind: "offline" });
      this.skipToLive();
    }
  }

  /* a little is made up by playing faster, an outage is not */
  private catchUp(): void {
    const live = this.hls?.liveSyncPosition;

    if (live != null && live - this.video.currentTime > MAX_BEHIND_S) {
      this.video.currentTime = live;
    }
  }

  /* a gap in the timeline can leave the play head where nothing will come */
  private skipToLive(): void {
    const { seekable, buffered } = this.video;
    const live = this.hls?.liveSyncPosition;

    if (live != null && live > this.video.currentTime + 1) {
      this.video.currentTime = live;
    } else if (this.hls === undefined && seekable.length > 0) {
      this.video.currentTime = Math.max(0, seekable.end(seekable.length - 1));
    } else if (buffered.length === 0 && this.sessionSeen) {
      this.hls?.startLoad();
    }
  }

  private delay(): number | undefined {
    const shot = this.hls?.playingDate;

    if (shot != null) {
      const seconds = (Date.now() - shot.getTime()) / 1000;

      /* a viewer's clock that is wrong must not show as a delay */
      if (seconds >= 0 && seconds < 120) {
        return seconds;
      }
    }

    return this.hls?.latency;
  }

  private refuse(reason: "expired" | "crowded"): void {
    this.end({ kind: "refused", reason });
  }

  private fail(reason: string): void {
    this.end({ kind: "failed", reason });
  }

  private end(state: State): void {
    this.final = true;
    this.close();
    this.onState(state);
  }
}
