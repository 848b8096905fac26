/* Tests for what is said: settings to paste, hints, numbers and names. */

import { describe, expect, it } from "vitest";
import {
  ffmpegCommand,
  hints,
  readAddress,
  SOURCES,
} from "../src/add/settings";
import { ago, bitrate, codecs, frames, resolution } from "../src/camera/facts";
import { refusalWords, seconds } from "../src/design/Notice";
import { refusal, unreachable } from "../src/outcome";

const URL =
  "rtmps://cameras.example.com:1936/live/pBx7?token=eyJh.eyJz-_.Vi6Z";

function address(text = URL) {
  const found = readAddress(text);

  if (found === undefined) {
    throw new Error("no address");
  }

  return found;
}

describe("an address to push to", () => {
  it("is split as OBS and cameras want it", () => {
    expect(address()).toEqual({
      whole: URL,
      server: "rtmps://cameras.example.com:1936/live",
      key: "pBx7?token=eyJh.eyJz-_.Vi6Z",
      host: "cameras.example.com",
      port: "1936",
      encrypted: true,
    });
  });

  it("may be short, plain, of IPv6, without a port", () => {
    expect(address("rtmps://h:1936/live/aWEOD2RKo50PyccmLZFxTw")).toMatchObject({
      key: "aWEOD2RKo50PyccmLZFxTw",
    });
    expect(address("rtmp://[::1]:1935/live/k")).toMatchObject({
      host: "[::1]",
      port: "1935",
      encrypted: false,
    });
    expect(address("rtmp://h/live/k").port).toBe("1935");
    expect(address("rtmps://h/live/k").port).toBe("443");
  });

  it("is nothing else", () => {
    for (const text of ["", "https://h/live/k", "rtmps://h/live", "rtmps://"]) {
      expect(readAddress(text)).toBeUndefined();
    }
  });
});

describe("a command for FFmpeg", () => {
  it.each(SOURCES.map(([source]) => source))("of %s is one line", (source) => {
    const command = ffmpegCommand(source, address());

    expect(command).toMatch(/^ffmpeg [^\n]+ -f flv "rtmps:[^" ]+"$/);
    expect(command).toContain(`"${URL}"`);
    expect(command.match(/"/g)?.length).toBeOneOf([4, 6]);
  });

  it("encodes without B-frames, a key frame every two seconds", () => {
    expect(ffmpegCommand("test", address())).toContain("-g 50 -bf 0");
    expect(ffmpegCommand("test", address())).toContain("rate=25");
  });

  it("passes on what an RTSP camera has encoded", () => {
    expect(ffmpegCommand("rtsp", address())).toContain("-c:v copy");
  });
});

describe("hints", () => {
  it("name the host and port that must be reached", () => {
    for (const how of ["ffmpeg", "obs", "camera"] as const) {
      expect(hints(address(), how).join(" ")).toContain(
        "cameras.example.com must be reachable from the camera on TCP port 1936",
      );
    }
  });

  it("speak of certificates only where there are some", () => {
    const plain = address("rtmp://h/live/k");

    expect(hints(address(), "obs").join(" ")).toMatch(/certificate/);
    expect(hints(plain, "obs").join(" ")).not.toMatch(/certificate/);
    expect(hints(plain, "camera").join(" ")).not.toMatch(/certificate/);
  });
});

describe("a stream's facts", () => {
  it("are said as people say them", () => {
    expect(bitrate(2_340_000)).toBe("2.3 Mbit/s");
    expect(bitrate(640_400)).toBe("640 kbit/s");
    expect(frames(25)).toBe("25 per second");
    expect(frames(29.97)).toBe("29.97 per second");
    expect(resolution("1920x1080")).toBe("1920 × 1080");
    expect(codecs("avc1.64001f,mp4a.40.2")).toBe("H.264 High, AAC");
    expect(codecs("avc1.42c016")).toBe("H.264 Baseline");
    expect(codecs("hvc1.1.6.L93.B0, opus")).toBe("H.265, opus");
  });

  it("tell how long ago", () => {
    const now = Date.parse("2026-01-02T00:00:00Z");
    const then = (s: number) => ago(new Date(now - s * 1000).toISOString(), now);

    expect(then(-3)).toBe("now");
    expect(then(12)).toBe("12 seconds ago");
    expect(then(60)).toBe("1 minute ago");
    expect(then(600)).toBe("10 minutes ago");
    expect(then(3590)).toBe("1 hour ago");
    expect(then(86_000)).toBe("1 day ago");
    expect(then(40 * 86_400)).toMatch(/2025/);
  });
});

describe("a refusal", () => {
  it("says that the server is away, or not ready", () => {
    expect(refusalWords(unreachable()).title).toMatch(/cannot be reached/);
    expect(
      refusalWords(
        refusal(new Response(null, { status: 503 }), {
          error: { code: "SERVICE_UNAVAILABLE", message: "The database is away." },
        }),
      ),
    ).toMatchObject({
      title: "The server is not ready",
      text: "The database is away. It is asked again by itself.",
    });
  });

  it("says how long to wait", () => {
    expect([0.4, 1, 12, 60, 61].map(seconds)).toEqual([
      "1 second",
      "1 second",
      "12 seconds",
      "a minute",
      "2 minutes",
    ]);
  });
});
