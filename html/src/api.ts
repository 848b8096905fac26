/*
 * The REST API, as functions that answer an `Outcome`.
 *
 * `auth` is what can be asked without an access token: the refresh token is in
 * a cookie which no script can read.  `Api` is the rest; it takes its tokens
 * from whoever keeps them, and when one is refused it asks once for another.
 */

import { MUST_CHANGE, type Outcome } from "./outcome";
import { GroupsApi } from "./groups/api";
import { RecordingsApi } from "./recordings/api";
import { blob, type Call, json, nothing, type Reader, send } from "./request";
import type {
  AuditLogEntry,
  AuditResult,
  AuthResponse,
  Camera,
  CameraCreate,
  CameraRemoved,
  CameraUpdate,
  PasswordChange,
  Providers,
  RegisterRequest,
  StreamKey,
  StreamKeyRotate,
  StreamState,
  StreamStatus,
  StreamUrl,
} from "./types";
import { TokensApi } from "./tokens/api";
import { UsersApi } from "./users/api";
import { LayoutsApi } from "./wall/api";

/* whoever keeps the access token; see session.ts */
export interface Tokens {
  /* a token that is good by the clock, or undefined when there is none */
  token(): Promise<string | undefined>;

  /* another one in place of `refused`; the outcome says why there is none */
  renew(refused: string): Promise<Outcome<string>>;
}

export interface CameraFilter {
  q?: string | undefined;
  tag?: string | undefined;
  status?: StreamStatus | undefined;
}

export interface AuditFilter {
  action?: string | undefined;
  result?: AuditResult | undefined;
}

export interface Credentials {
  username: string;
  password: string;
  remember: boolean;
}

const PAGE_SIZE = 48; // whole rows in two, three, four and six columns

const PAUSE_MS = 150; // between looks at a changed password
const MAX_TRIES = 20;

/* which no foreign page can send: it goes with the cookie */
const REQUESTED_WITH = { "X-Requested-With": "camera" };

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

  providers(): Promise<Outcome<Providers>> {
    return send({ method: "GET", path: "/auth/providers" }, json<Providers>);
  },

  register(newcomer: RegisterRequest): Promise<Outcome<AuthResponse>> {
    return send(
      {
        method: "POST",
        path: "/auth/register",
        body: { ...newcomer, cookie: true },
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
  readonly groups: GroupsApi;
  readonly layouts: LayoutsApi;
  readonly recordings: RecordingsApi;
  readonly tokens: TokensApi;
  readonly users: UsersApi;

  constructor(
    private readonly keeper: Tokens,
    private readonly onOutcome: (outcome: Outcome<unknown>) => void = () =>
      undefined,
  ) {
    this.groups = new GroupsApi((call, read) => this.call(call, read));
    this.layouts = new LayoutsApi((call, read) => this.call(call, read));
    this.recordings = new RecordingsApi((call, read) => this.call(call, read));
    this.tokens = new TokensApi((call, read) => this.call(call, read));
    this.users = new UsersApi((call, read) => this.call(call, read));
  }

  changePassword(body: PasswordChange): Promise<Outcome<void>> {
    return this.call({ method: "POST", path: "/auth/password", body }, nothing);
  }

  /*
   * It counts within a second; what is asked before that is still refused.
   */
  async passwordCounts(pauseMs = PAUSE_MS): Promise<void> {
    const call: Call = { method: "GET", path: "/auth/sessions" };

    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const outcome = await this.exchange(call, nothing);

      if (outcome.kind === "ok" || outcome.code !== MUST_CHANGE) {
        return;
      }

      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
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

  audit(
    filter: AuditFilter,
    cursor: string | undefined,
    signal?: AbortSignal,
  ): Promise<Outcome<AuditLogEntry[]>> {
    return this.call(
      {
        method: "GET",
        path: "/audit",
        query: { ...filter, limit: PAGE_SIZE, cursor },
        signal,
      },
      json<AuditLogEntry[]>,
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

  /* from is a moment in the past where it begins; live, without */
  streamUrl(
    id: string,
    signal?: AbortSignal,
    from?: number,
  ): Promise<Outcome<StreamUrl>> {
    return this.call(
      {
        method: "GET",
        path: cameraPath(id, "/stream/hls"),
        query: {
          from: from === undefined ? from : new Date(from).toISOString(),
        },
        signal,
      },
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
    const token = await this.keeper.token();
    const outcome = await send(authorized(call, token), read);

    if (outcome.kind !== "signed-out") {
      return outcome;
    }

    const renewed = await this.keeper.renew(token ?? "");

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
