/* Tests for live.ts: which addresses are asked for, and when again. */

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Outcome, Refusal } from "../src/outcome";
import { Live, type LiveState } from "../src/player/live";
import type { State } from "../src/player/player";
import type { StreamUrl } from "../src/types";

/* stands in for the player of media, which needs a browser */
const players = vi.hoisted(
  () => [] as { url: string; closed: boolean; say: (state: State) => void }[],
);

vi.mock("../src/player/player", () => ({
  Player: class {
    private readonly self;

    constructor(_video: unknown, url: string, say: (state: State) => void) {
      this.self = { url, closed: false, say };
      players.push(this.self);
    }

    start() {
      this.self.say({ kind: "connecting" });
    }

    close() {
      this.self.closed = true;
    }
  },
}));

const answers: Outcome<StreamUrl>[] = [];
let asked = 0;
let states: LiveState[];
let live: Live;

function address(url: string): Outcome<StreamUrl> {
  const value = { url, expiresAt: "", expiresIn: 900, protocol: "hls" as const };

  return { kind: "ok", value, etag: undefined, cursor: undefined };
}

function refused(kind: "denied" | "away", seconds = 3): Refusal {
  const said = { code: "X", message: "x", requestId: undefined };

  return kind === "away" ? { ...said, kind, seconds } : { ...said, kind };
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("window", globalThis);
  vi.stubGlobal("location", { href: "https://host:8443/#/cameras/1" });
  players.length = 0;
  answers.length = 0;
  asked = 0;
  states = [];
  live = new Live(
    {} as HTMLVideoElement,
    async () => {
      asked++;
      return answers.shift() ?? address("/hls/1/playlist.m3u8?token=z");
    },
    (state) => states.push(state),
  );
});

afterEach(() => {
  live.close();
  vi.useRealTimers();
});

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
const kinds = () => states.map(({ kind }) => kind);

describe("a live picture", () => {
  it("plays the address that was given, on this server", async () => {
    answers.push(address("/hls/1/playlist.m3u8?token=a"));
    live.start();
    await pass(0);
    players[0]?.say({ kind: "live", delaySeconds: 1.8 });

    expect(players[0]?.url).toBe("https://host:8443/hls/1/playlist.m3u8?token=a");
    expect(states).toEqual([
      { kind: "connecting" },
      { kind: "live", delaySeconds: 1.8 },
    ]);
  });

  it("is fetched from where the page came from", async () => {
    answers.push(address("https://cameras.example.com/hls/1/a.m3u8?token=a"));
    live.start();
    await pass(0);
    expect(players[0]?.url).toBe("https://host:8443/hls/1/a.m3u8?token=a");
  });

  it("tells an interruption from a camera that was never there", async () => {
    live.start();
    await pass(0);
    players[0]?.say({ kind: "offline" });
    players[0]?.say({ kind: "live", delaySeconds: 2 });
    players[0]?.say({ kind: "offline" });

    expect(kinds()).toEqual(["connecting", "offline", "live", "interrupted"]);
    expect(asked).toBe(1);
  });

  it("asks for another address when its own is refused", async () => {
    live.start();
    await pass(0);
    players[0]?.say({ kind: "live", delaySeconds: 2 });
    players[0]?.say({ kind: "refused", reason: "expired" });
    expect(kinds().at(-1)).toBe("interrupted");

    await pass(3000);
    expect(asked).toBe(2);
    expect(players.map(({ closed }) => closed)).toEqual([true, false]);
  });

  it("waits as long as an absent server says, then goes on", async () => {
    answers.push(refused("away", 7));
    live.start();
    await pass(6900);
    expect(kinds()).toEqual(["connecting", "away"]);
    expect(asked).toBe(1);

    await pass(200);
    expect(asked).toBe(2);
    expect(players).toHaveLength(1);
  });

  it("takes no for an answer", async () => {
    answers.push(refused("denied"));
    live.start();
    await pass(100_000);
    expect(kinds()).toEqual(["connecting", "refused"]);
    expect(asked).toBe(1);
  });

  it("closed, leaves nothing behind", async () => {
    live.start();
    await pass(0);
    players[0]?.say({ kind: "refused", reason: "expired" });
    live.close();
    await pass(100_000);
    expect(asked).toBe(1);
    expect(players[0]?.closed).toBe(true);
  });

  it("closed before its address came, plays nothing", async () => {
    live.start();
    live.close();
    await pass(1000);
    expect(players).toHaveLength(0);
  });
});
