/* Tests for recorded.ts: off which list a moment is played. */

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Outcome } from "../src/outcome";
import { Recording, type RecordedState } from "../src/player/recorded";

type Listener = (event: string, data: unknown) => void;

interface Opened {
  url: string;
  listeners: Map<string, Listener>;
  liveSyncPosition: number | null;
}

/* stands in for hls.js, which needs a browser */
const opened = vi.hoisted(() => [] as Opened[]);

vi.mock("hls.js/light", () => ({
  default: class {
    static isSupported = () => true;
    static Events = { LEVEL_UPDATED: "updated", ERROR: "error" };
    static ErrorTypes = { NETWORK_ERROR: "network" };
    url = "";
    listeners = new Map<string, Listener>();
    liveSyncPosition: number | null = null;

    constructor() {
      opened.push(this);
    }

    on(name: string, listener: Listener) {
      this.listeners.set(name, listener);
    }

    attachMedia() {}
    destroy() {}

    loadSource(url: string) {
      this.url = url;
    }
  },
}));

const NOW = Date.UTC(2026, 2, 10, 12);
const MINUTE = 60_000;

let states: RecordedState[];
let asked: string[];
let isOnAir: boolean;
let video: {
  currentTime: number;
  seeking: boolean;
  say: (name: string) => void;
};
let recording: Recording;

function address(url: string): Promise<Outcome<{ url: string }>> {
  asked.push(url);
  return Promise.resolve({
    kind: "ok",
    value: { url },
    etag: undefined,
    cursor: undefined,
  });
}

beforeEach(() => {
  vi.useFakeTimers({ now: NOW });
  vi.stubGlobal("window", globalThis);
  vi.stubGlobal("location", { href: "https://host:8443/#/cameras/1" });
  opened.length = 0;
  states = [];
  asked = [];
  isOnAir = true;

  const listeners = new Map<string, () => void>();

  video = {
    currentTime: 0,
    seeking: false,
    say: (name) => listeners.get(name)?.(),
  };
  recording = new Recording(
    Object.assign(video, {
      addEventListener: (name: string, action: () => void) =>
        listeners.set(name, action),
      play: () => Promise.resolve(),
      removeAttribute: () => undefined,
    }) as unknown as HTMLVideoElement,
    {
      range: () => address("/recordings/1/playlist.m3u8?token=r"),
      live: (from) => address(`/hls/1/playlist.m3u8?token=l&from=${from}`),
      isOnAir: () => isOnAir,
    },
    { onState: (state) => states.push(state), onPosition: () => undefined },
  );
});

afterEach(() => {
  recording.close();
  vi.useRealTimers();
});

const pass = () => vi.advanceTimersByTimeAsync(0);
const last = () => opened.at(-1);

/* the list that was opened last begins at that moment, and has a minute */
function updated(wall: number): void {
  last()?.listeners.get("updated")?.("updated", {
    details: { fragments: [{ start: 0, duration: 60, programDateTime: wall }] },
  });
}

function lost(): void {
  last()?.listeners.get("error")?.("error", { fatal: true, type: "network" });
}

describe("a moment", () => {
  it("of the last hour is played off the list that goes on with live", async () => {
    recording.seek(NOW - MINUTE);
    await pass();
    expect(last()?.url).toBe(
      `https://host:8443/hls/1/playlist.m3u8?token=l&from=${NOW - MINUTE}`,
    );
  });

  it("of before is a range of recordings", async () => {
    recording.seek(NOW - 61 * MINUTE);
    await pass();
    expect(last()?.url).toBe(
      "https://host:8443/recordings/1/playlist.m3u8?token=r",
    );
  });

  it("that the list has is found in it", async () => {
    recording.seek(NOW - MINUTE);
    await pass();
    updated(NOW - MINUTE);
    recording.seek(NOW - 30_000);
    expect(video.currentTime).toBe(30);
    expect(asked).toHaveLength(1);
  });
});

describe("a camera", () => {
  it("that is not recorded now has a plain list, and ranges", async () => {
    recording.seek(NOW - MINUTE);
    await pass();
    updated(NOW - 5000);
    await pass();
    expect(last()?.url).toContain("/recordings/");
  });

  it("that is known to be off the air is not asked for another", async () => {
    isOnAir = false;
    recording.seek(NOW - MINUTE);
    await pass();
    expect(asked).toEqual(["/recordings/1/playlist.m3u8?token=r"]);
  });

  it("that has left the air has ranges, until somebody looks again", async () => {
    recording.seek(NOW - MINUTE);
    await pass();
    lost();
    await pass();
    expect(last()?.url).toContain("/recordings/");
    recording.seek(NOW - 2 * MINUTE);
    await pass();
    expect(last()?.url).toContain("/hls/");
  });
});

describe("what is played faster", () => {
  it("becomes live where live is, and not before", async () => {
    const hls = () => last() as Opened;

    recording.seek(NOW - MINUTE);
    await pass();
    updated(NOW - MINUTE);
    hls().liveSyncPosition = 58;
    video.currentTime = 57;
    video.say("timeupdate");
    expect(states.map(({ kind }) => kind)).not.toContain("live");
    video.currentTime = 58;
    video.say("timeupdate");
    expect(states.at(-1)).toEqual({ kind: "live" });
  });
});
