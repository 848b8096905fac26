/* Tests for events.ts: the grammar of the stream, and the life of a feed. */

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  EventFeed,
  EventParser,
  type FeedState,
  type OpenStream,
  type ServerEvent,
} from "../src/events";
import type { Outcome, Refusal } from "../src/outcome";

describe("the parser", () => {
  const parse = (...chunks: string[]) => {
    const parser = new EventParser();

    return chunks.flatMap((chunk) => parser.push(chunk));
  };

  it("reads an event", () => {
    expect(parse('id: 1-0\nevent: stream.status\ndata: {"a":1}\n\n')).toEqual([
      { id: "1-0", type: "stream.status", data: '{"a":1}' },
    ]);
  });

  it("reads it the same however it is cut", () => {
    const text = ': hello\r\n\r\nid: 1-0\r\nevent: a\r\ndata: b\r\ndata: c\r\n\r\n: end\n';

    for (let at = 0; at <= text.length; at++) {
      expect(parse(text.slice(0, at), text.slice(at))).toEqual([
        { id: "1-0", type: "a", data: "b\nc" },
      ]);
    }

    expect(parse(...text)).toHaveLength(1);
  });

  it("ends lines in \\n, \\r\\n and \\r", () => {
    for (const end of ["\n", "\r\n", "\r"]) {
      expect(parse(`data: a${end}${end}data: b${end}${end}: `)).toMatchObject([
        { data: "a" },
        { data: "b" },
      ]);
    }
  });

  it("skips comments and what it does not know", () => {
    expect(parse(": ping\n\nretry: 100\nfoo: bar\n\n")).toEqual([]);
  });

  it("takes one blank after the colon, and no colon for no value", () => {
    expect(parse("data:a\ndata:  b\ndata\n\n")).toMatchObject([
      { data: "a\n b\n" },
    ]);
  });

  it("calls an event without a name a message", () => {
    expect(parse("data: a\n\n")).toMatchObject([{ type: "message" }]);
  });

  it("keeps the last id, and forgets a name without data", () => {
    expect(parse("event: a\nid: 5-1\n\ndata: b\n\n")).toEqual([
      { id: "5-1", type: "message", data: "b" },
    ]);
  });

  it("ignores an id with a NUL, and gives nothing that is not whole", () => {
    expect(parse("id: a\0b\ndata: c\n\ndata: d\n")).toEqual([
      { id: undefined, type: "message", data: "c" },
    ]);
  });
});

/* a server whose streams are written to by the test */
class Source {
  readonly lastIds: (string | undefined)[] = [];
  signal: AbortSignal | undefined;
  refusals: Refusal[] = [];
  private controller: ReadableStreamDefaultController<Uint8Array> | undefined;

  open: OpenStream = (lastId, signal) => {
    this.lastIds.push(lastId);
    this.signal = signal;

    const refusal = this.refusals.shift();

    return Promise.resolve(refusal ?? this.stream(signal));
  };

  write(text: string | Uint8Array) {
    this.controller?.enqueue(
      typeof text === "string" ? new TextEncoder().encode(text) : text,
    );
  }

  end() {
    this.controller?.close();
  }

  private stream(signal: AbortSignal): Outcome<ReadableStream<Uint8Array>> {
    const value = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.controller = controller;
        signal.addEventListener("abort", () => {
          controller.error(signal.reason);
        });
      },
    });

    return { kind: "ok", value, etag: undefined, cursor: undefined };
  }
}

describe("the feed", () => {
  let source: Source;
  let events: ServerEvent[];
  let states: FeedState[];
  let feed: EventFeed;

  beforeEach(() => {
    vi.useFakeTimers();
    source = new Source();
    events = [];
    states = [];
    feed = new EventFeed(
      source.open,
      (event) => events.push(event),
      (state) => states.push(state),
    );
  });

  afterEach(() => {
    feed.close();
    vi.useRealTimers();
  });

  const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
  const away: Refusal = {
    kind: "away",
    seconds: 3,
    code: "X",
    message: "x",
    requestId: undefined,
  };

  it("hands out events, letters whole", async () => {
    feed.start();
    await pass(0);

    const bytes = new TextEncoder().encode("id: 1-0\ndata: Haustür\n\n");
    source.write(bytes.slice(0, 20));
    source.write(bytes.slice(20));
    await pass(0);

    expect(events).toEqual([{ id: "1-0", type: "message", data: "Haustür" }]);
    expect(states).toEqual(["connecting", "open"]);
  });

  it("goes on at once from the last id when the stream ends", async () => {
    feed.start();
    await pass(0);
    source.write("id: 4-2\ndata: a\n\n");
    await pass(0);
    source.end();
    await pass(1);

    expect(source.lastIds).toEqual([undefined, "4-2"]);
    expect(states.at(-1)).toBe("open");
  });

  it("waits longer with every loss, half a minute at most", async () => {
    source.refusals = Array(9).fill({ ...away, kind: "failed" });
    feed.start();
    await pass(1);
    expect(source.lastIds.length).toBe(2);

    await pass(700);
    expect(source.lastIds.length).toBe(2);
    await pass(600);
    expect(source.lastIds.length).toBe(3);

    await pass(400_000);
    expect(source.lastIds.length).toBeGreaterThan(10);
    expect(states.at(-1)).toBe("open");
  });

  it("waits as long as the server says", async () => {
    source.refusals = [{ ...away, seconds: 20 }];
    feed.start();
    await pass(14_000);
    expect(source.lastIds.length).toBe(1);
    await pass(12_000);
    expect(source.lastIds.length).toBe(2);
  });

  it("takes silence for a dead connection", async () => {
    feed.start();
    await pass(0);
    await pass(30_000);
    source.write(": ping\n\n");
    await pass(30_000);
    expect(source.lastIds.length).toBe(1);

    await pass(11_000);
    expect(source.lastIds.length).toBe(2);
  });

  it("does not ask again where it may not", async () => {
    source.refusals = [{ ...away, kind: "denied" }];
    feed.start();
    await pass(100_000);
    expect(source.lastIds.length).toBe(1);
    expect(states.at(-1)).toBe("closed");
  });

  it("starts anew when the server does not take its last id", async () => {
    feed.start();
    await pass(0);
    source.write("id: nonsense\ndata: a\n\n");
    await pass(0);
    source.refusals = [{ ...away, kind: "invalid", fields: [] }];
    source.end();
    await pass(3000);
    expect(source.lastIds).toEqual([undefined, "nonsense", undefined]);
  });

  it("closed, lets go of its connection and keeps its place", async () => {
    feed.start();
    await pass(0);
    source.write("id: 7-0\ndata: a\n\n");
    await pass(0);
    feed.close();
    expect(source.signal?.aborted).toBe(true);
    await pass(100_000);
    expect(source.lastIds.length).toBe(1);

    feed.start();
    await pass(0);
    expect(source.lastIds).toEqual([undefined, "7-0"]);
  });
});
