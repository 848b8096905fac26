/*
 * The only file that fetches (players fetch media by themselves).
 *
 * Every function answers an `Outcome` and never throws, with one exception: a
 * request that its caller aborts rejects with the reason of the abort.
 *
 * `auth` is what can be asked without an access token: the refresh token is in
 * a cookie which no script can read.  `Api` is the rest; it takes its tokens
 * from whoever keeps them, and when one is refused it asks once for another.
 */

import {
  type Outcome,
  refusal,
  success,
  unreachable,
  unreadable,
} from "./outcome";
import type {
  AuthResponse,
  Camera,
  CameraCreate,
  CameraRemoved,
  CameraUpdate,
  PasswordChange,
  StreamKey,
  StreamKeyRotate,
  StreamState,
  StreamStatus,
  StreamUrl,
} from "./types";

/* whoever keeps the access token; see session.ts */
export interface Tokens {
  /* a token that is good by the clock, or undefined when there is none */
  token(): Promise<string | undefined>;

  /* another one in place of `refused`; the outcome says why there is none */
  renew(refused: string): Promise<Outcome<string>>;
}

export interface CameraFilter {
  q?: string | undefined;
  status?: StreamStatus | undefined;
}

export interface Credentials {
  username: string;
  password: string;
  remember: boolean;
}

interface Call {
  method: "GET" | "POST" | "PUT" | "DELETE";
  path: string;
  query?: Record<string, string | number | undefined>;
  headers?: Record<string, string | undefined>;
  body?: unknown;
  signal?: AbortSignal | undefined;
  keepalive?: boolean;
}

type Reader<T> = (response: Response) => Promise<T>;

const BASE = "./api/v1";
const TIMEOUT_MS = 15_000;
const PAGE_SIZE = 48; // whole rows in two, three, four and six columns

/* which no foreign page can send: it goes with the cookie */
const REQUESTED_WITH = { "X-Requested-With": "camera" };

const json = <T>(response: Response): Promise<T> => response.json();
const blob: Reader<Blob> = (response) => response.blob();
const nothing: Reader<void> = () => Promise.resolve();

export const auth = {
  login(credentials: Credentials): Promise<Outcome<AuthResponse>> {
    return send(
      {
        method: "POST",
        path: "/auth/login",
        body: { ...credentials, cookie: true },
      },
      json<AuthResponse>,
    );
  },

  /* outlives the page, so that the next cookie is stored even if it closes */
  refresh(): Promise<Outcome<AuthResponse>> {
    return send(
      {
        method: "POST",
        path: "/auth/refresh",
        headers: REQUESTED_WITH,
        keepalive: true,
      },
      json<AuthResponse>,
    );
  },

  logout(token: string | undefined): Promise<Outcome<void>> {
    const call: Call = {
      method: "POST",
      path: "/auth/logout",
      headers: REQUESTED_WITH,
    };

    return send(authorized(call, token), nothing);
  },
};

export class Api {
  constructor(
    private readonly tokens: Tokens,
    private readonly onOutcome: (outcome: Outcome<unknown>) => void = () =>
      undefined,
  ) {}

  changePassword(body: PasswordChange): Promise<Outcome<void>> {
    return this.call({ method: "POST", path: "/auth/password", body }, nothing);
  }

  cameras(
    filter: CameraFilter,
    cursor: string | undefined,
    signal?: AbortSignal,
  ): Promise<Outcome<Camera[]>> {
    return this.call(
      {
        method: "GET",
        path: "/cameras",
        query: { ...filter, limit: PAGE_SIZE, cursor },
        signal,
      },
      json<Camera[]>,
    );
  }

  camera(id: string, signal?: AbortSignal): Promise<Outcome<Camera>> {
    return this.call(
      { method: "GET", path: cameraPath(id), signal },
      json<Camera>,
    );
  }

  createCamera(body: CameraCreate, key: string): Promise<Outcome<Camera>> {
    return this.call(
      {
        method: "POST",
        path: "/cameras",
        headers: { "Idempotency-Key": key },
        body,
      },
      json<Camera>,
    );
  }

  updateCamera(
    id: string,
    body: CameraUpdate,
    etag: string | undefined,
  ): Promise<Outcome<Camera>> {
    return this.call(
      {
        method: "PUT",
        path: cameraPath(id),
        headers: { "If-Match": etag },
        body,
      },
      json<Camera>,
    );
  }

  deleteCamera(id: string): Promise<Outcome<CameraRemoved>> {
    return this.call(
      { method: "DELETE", path: cameraPath(id) },
      json<CameraRemoved>,
    );
  }

  rotateKey(id: string, body: StreamKeyRotate): Promise<Outcome<StreamKey>> {
    return this.call(
      { method: "POST", path: cameraPath(id, "/stream-key"), body },
      json<StreamKey>,
    );
  }

  revokeKeys(id: string): Promise<Outcome<void>> {
    return this.call(
      { method: "DELETE", path: cameraPath(id, "/stream-key") },
      nothing,
    );
  }

  streamUrl(id: string, signal?: AbortSignal): Promise<Outcome<StreamUrl>> {
    return this.call(
      { method: "GET", path: cameraPath(id, "/stream/hls"), signal },
      json<StreamUrl>,
    );
  }

  streamState(id: string, signal?: AbortSignal): Promise<Outcome<StreamState>> {
    return this.call(
      { method: "GET", path: cameraPath(id, "/status"), signal },
      json<StreamState>,
    );
  }

  /* one camera's missing picture says nothing about the server */
  snapshot(
    id: string,
    width: number,
    signal?: AbortSignal,
  ): Promise<Outcome<Blob>> {
    return this.exchange(
      {
        method: "GET",
        path: cameraPath(id, "/snapshot"),
        query: { width },
        signal,
      },
      blob,
    );
  }

  /* the answer's body goes on until the token ends, or the signal says so */
  events(
    lastId: string | undefined,
    signal: AbortSignal,
  ): Promise<Outcome<ReadableStream<Uint8Array>>> {
    return this.call(
      {
        method: "GET",
        path: "/events",
        headers: { Accept: "text/event-stream", "Last-Event-ID": lastId },
        signal,
      },
      (response) =>
        response.body === null
          ? Promise.reject(new Error("no body"))
          : Promise.resolve(response.body),
    );
  }

  private async call<T>(call: Call, read: Reader<T>): Promise<Outcome<T>> {
    const outcome = await this.exchange(call, read);

    this.onOutcome(outcome);
    return outcome;
  }

  private async exchange<T>(call: Call, read: Reader<T>): Promise<Outcome<T>> {
    const token = await this.tokens.token();
    const outcome = await send(authorized(call, token), read);

    if (outcome.kind !== "signed-out") {
      return outcome;
    }

    const renewed = await this.tokens.renew(token ?? "");

    return renewed.kind === "ok"
      ? send(authorized(call, renewed.value), read)
      : renewed;
  }
}

function authorized(call: Call, token: string | undefined): Call {
  return token === undefined
    ? call
    : {
        ...call,
        headers: { ...call.headers, Authorization: `Bearer ${token}` },
      };
}

function cameraPath(id: string, rest = ""): string {
  return `/cameras/${encodeURIComponent(id)}${rest}`;
}

async function send<T>(call: Call, read: Reader<T>): Promise<Outcome<T>> {
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(), TIMEOUT_MS);
  const stop = () => timeout.abort();

  call.signal?.addEventListener("abort", stop);

  try {
    call.signal?.throwIfAborted();
    const response = await fetch(address(call), init(call, timeout.signal));

    return response.ok
      ? success(await read(response), response.headers)
      : await readRefusal(response);
  } catch (error) {
    call.signal?.throwIfAborted();
    return error instanceof SyntaxError ? unreadable() : unreachable();
  } finally {
    /* the signal stays connected to a body that is still being read */
    clearTimeout(timer);
  }
}

function address(call: Call): string {
  const query = new URLSearchParams();

  for (const [name, value] of Object.entries(call.query ?? {})) {
    if (value !== undefined && value !== "") {
      query.set(name, String(value));
    }
  }

  const text = query.toString();

  return BASE + call.path + (text === "" ? "" : `?${text}`);
}

function init(call: Call, signal: AbortSignal): RequestInit {
  const headers = new Headers();

  for (const [name, value] of Object.entries(call.headers ?? {})) {
    if (value !== undefined) {
      headers.set(name, value);
    }
  }

  if (call.body !== undefined) {
    headers.set("Content-Type", "application/json");
  }

  return {
    method: call.method,
    headers,
    body: call.body === undefined ? null : JSON.stringify(call.body),
    cache: "no-store",
    credentials: "same-origin",
    keepalive: call.keepalive ?? false,
    signal,
  };
}

async function readRefusal(response: Response): Promise<Outcome<never>> {
  const text = await response.text();

  try {
    return refusal(response, JSON.parse(text));
  } catch {
    /* a proxy's or nginx's own page: its status still says enough */
    return refusal(response, undefined);
  }
}
