/*
 * Events of the server, read by fetch, because an EventSource cannot send a
 * bearer token.
 *
 *   connecting  asking [start, connect]
 *   open        events arrive [read]
 *   waiting     lost; asked again after a while, from the last id [wait]
 *   closed      nobody wants them, or the server will not give them [close]
 *
 * The stream ends when its access token does and is then taken up at once.  A
 * comment comes every 15 seconds, so silence means that the connection is dead.
 * While the feed is not open, screens ask by themselves (see queries.ts).
 */

import type { Outcome } from "./outcome";

export interface ServerEvent {
  id: string | undefined;
  type: string;
  data: string;
}

export type FeedState = "connecting" | "open" | "waiting" | "closed";

export type OpenStream = (
  lastId: string | undefined,
  signal: AbortSignal,
) => Promise<Outcome<ReadableStream<Uint8Array>>>;

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30_000;
const SILENCE_MS = 40_000;
const STEADY_MS = 10_000; // open for so long: the next loss is a first one

/* Takes text as it comes, answers the events that are whole. */
export class EventParser {
  private rest = "";
  private id: string | undefined;
  private type = "";
  private data: string[] = [];

  push(text: string): ServerEvent[] {
    const events: ServerEvent[] = [];

    this.rest += text;

    for (;;) {
      const line = this.nextLine();

      if (line === undefined) {
        return events;
      }

      if (line !== "") {
        this.field(line);
      } else if (this.data.length > 0) {
        events.push(this.take());
      } else {
        this.type = "";
      }
    }
  }

  /* a line ends in \n, \r\n or \r; after a \r at the end the \n may follow */
  private nextLine(): string | undefined {
    const end = this.rest.search(/[\r\n]/);

    if (end < 0 || (this.rest[end] === "\r" && end === this.rest.length - 1)) {
      return undefined;
    }

    const line = this.rest.slice(0, end);
    const pair = this.rest.startsWith("\r\n", end);

    this.rest = this.rest.slice(end + (pair ? 2 : 1));
    return line;
  }

  private field(line: string): void {
    const colon = line.indexOf(":");

    if (colon === 0) {
      return; // a comment
    }

    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");

    if (name === "data") {
      this.data.push(value);
    } else if (name === "event") {
      this.type = value;
    } else if (name === "id" && !value.includes("\0")) {
      this.id = value;
    }
  }

  private take(): ServerEvent {
    const event = {
      id: this.id,
      type: this.type === "" ? "message" : this.type,
      data: this.data.join("\n"),
    };

    this.type = "";
    this.data = [];
    return event;
  }
}

export class EventFeed {
  private lastId: string | undefined;
  private losses = 0;
  private abort: AbortController | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private current: FeedState = "closed";

  constructor(
    private readonly open: OpenStream,
    private readonly onEvent: (event: ServerEvent) => void,
    private readonly onState: (state: FeedState) => void,
  ) {}

  start(): void {
    if (this.current === "closed") {
      this.losses = 0;
      void this.connect();
    }
  }

  close(): void {
    clearTimeout(this.timer);
    this.abort?.abort();
    this.abort = undefined;
    this.enter("closed");
  }

  private async connect(): Promise<void> {
    const abort = new AbortController();

    this.abort = abort;
    this.enter("connecting");

    try {
      const outcome = await this.open(this.lastId, abort.signal);

      if (abort.signal.aborted) {
        return;
      }

      switch (outcome.kind) {
        case "ok":
          await this.read(outcome.value, abort);
          break;
        case "signed-out":
        case "denied":
          this.close();
          break;
        case "invalid":
          this.lastId = undefined; // an id that this server does not know
          this.wait();
          break;
        case "busy":
        case "away":
          this.wait(outcome.seconds * 1000);
          break;
        default:
          this.wait();
      }
    } catch {
      this.lose(abort); // the request was aborted
    }
  }

  private async read(
    stream: ReadableStream<Uint8Array>,
    abort: AbortController,
  ): Promise<void> {
    const reader = stream.getReader();
    const decoder = new TextDecoder();
    const parser = new EventParser();
    const began = Date.now();
    let silence = setTimeout(() => abort.abort(), SILENCE_MS);

    this.enter("open");

    try {
      for (;;) {
        const { done, value } = await reader.read();

        if (done) {
          break;
        }

        clearTimeout(silence);
        silence = setTimeout(() => abort.abort(), SILENCE_MS);

        for (const event of parser.push(
          decoder.decode(value, { stream: true }),
        )) {
          this.lastId = event.id ?? this.lastId;
          this.onEvent(event);
        }
      }
    } catch {
      /* lost, or closed by us: what follows is the same */
    } finally {
      clearTimeout(silence);

      if (Date.now() - began >= STEADY_MS) {
        this.losses = 0;
      }

      this.lose(abort);
    }
  }

  /* closed meanwhile, perhaps started anew: then this loss is nobody's */
  private lose(abort: AbortController): void {
    if (this.abort === abort) {
      this.wait();
    }
  }

  /* the first loss is taken up at once: a token ended, nginx was reloaded */
  private wait(atLeast = 0): void {
    const backoff =
      this.losses === 0
        ? 0
        : Math.min(FIRST_WAIT_MS * 2 ** (this.losses - 1), LONGEST_WAIT_MS);
    const wait = Math.max(backoff, atLeast) * (0.75 + Math.random() / 2);

    this.losses++;
    this.enter("waiting");
    this.timer = setTimeout(() => void this.connect(), wait);
  }

  private enter(state: FeedState): void {
    if (state !== this.current) {
      this.current = state;
      this.onState(state);
    }
  }
}
