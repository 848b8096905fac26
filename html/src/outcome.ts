/*
 * What can become of a request, as one union: a screen that handles it all has
 * no case left that nobody thought of.  Nothing here throws, except `unwrap`,
 * for TanStack Query, which wants its errors thrown.
 */

export interface FieldError {
  field: string;
  message: string;
}

/* what the server said; the request id is for whoever reads its log */
interface Said {
  code: string;
  message: string;
  requestId: string | undefined;
}

export type Refusal = Said &
  (
    | { kind: "invalid"; fields: FieldError[] } // 400
    | { kind: "credentials" } // 401: the password is wrong, the token is not
    | { kind: "signed-out" } // 401
    | { kind: "denied" } // 403
    | { kind: "missing" } // 404
    | { kind: "conflict" } // 409
    | { kind: "changed" } // 412
    | { kind: "busy"; seconds: number } // 429
    | { kind: "offline" } // the camera has no picture
    | { kind: "away"; seconds: number } // no server, or not its database
    | { kind: "failed" } // anything else, which is a bug
  );

export interface Success<T> {
  kind: "ok";
  value: T;
  etag: string | undefined;
  cursor: string | undefined; // of the next page
}

export type Outcome<T> = Success<T> | Refusal;

/* the code with which all is refused before a new password */
export const MUST_CHANGE = "PASSWORD_CHANGE_REQUIRED";

const AWAY_SECONDS = 3;
const BUSY_SECONDS = 5;

export function success<T>(value: T, headers: Headers): Success<T> {
  return {
    kind: "ok",
    value,
    etag: headers.get("ETag") ?? undefined,
    cursor: nextCursor(headers.get("Link")),
  };
}

/* nobody answered */
export function unreachable(): Refusal {
  return {
    kind: "away",
    seconds: AWAY_SECONDS,
    code: "UNREACHABLE",
    message: "The server cannot be reached.",
    requestId: undefined,
  };
}

/* a success whose body is not JSON */
export function unreadable(): Refusal {
  return {
    kind: "failed",
    code: "UNREADABLE",
    message: "The server's answer could not be read.",
    requestId: undefined,
  };
}

export function refusal(response: Response, body: unknown): Refusal {
  const said = whatWasSaid(response, body);

  if (said.code === "STREAM_OFFLINE") {
    return { ...said, kind: "offline" };
  }

  if (said.code === "AUTH_CREDENTIALS_INVALID") {
    return { ...said, kind: "credentials" };
  }

  switch (response.status) {
    case 400:
      return { ...said, kind: "invalid", fields: fieldErrors(body) };
    case 401:
      return { ...said, kind: "signed-out" };
    case 403:
      return { ...said, kind: "denied" };
    case 404:
      return { ...said, kind: "missing" };
    case 409:
      return { ...said, kind: "conflict" };
    case 412:
      return { ...said, kind: "changed" };
    case 429:
      return { ...said, kind: "busy", seconds: wait(response, BUSY_SECONDS) };
    case 502:
    case 503:
    case 504:
      return { ...said, kind: "away", seconds: wait(response, AWAY_SECONDS) };
    default:
      return { ...said, kind: "failed" };
  }
}

/* an error that carries what happened */
export class RefusalError extends Error {
  constructor(readonly refusal: Refusal) {
    super(refusal.message);
  }
}

export function unwrap<T>(outcome: Outcome<T>): Success<T> {
  if (outcome.kind !== "ok") {
    throw new RefusalError(outcome);
  }

  return outcome;
}

export function refusalOf(error: unknown): Refusal {
  if (error instanceof RefusalError) {
    return error.refusal;
  }

  return {
    kind: "failed",
    code: "PAGE",
    message: error instanceof Error ? error.message : String(error),
    requestId: undefined,
  };
}

function whatWasSaid(response: Response, body: unknown): Said {
  const error = field(body, "error");
  const requestId = text(field(error, "requestId"));

  return {
    code: text(field(error, "code")) ?? `HTTP_${response.status}`,
    message:
      text(field(error, "message")) ??
      `The server answered with status ${response.status}.`,
    requestId: requestId ?? response.headers.get("X-Request-Id") ?? undefined,
  };
}

function fieldErrors(body: unknown): FieldError[] {
  const details = field(field(body, "error"), "details");

  if (!Array.isArray(details)) {
    return [];
  }

  return details.flatMap((one: unknown) => {
    const name = text(field(one, "field"));
    const message = text(field(one, "message"));

    return name !== undefined && message !== undefined
      ? [{ field: name, message }]
      : [];
  });
}

function wait(response: Response, otherwise: number): number {
  const seconds = Number(response.headers.get("Retry-After"));

  return Number.isFinite(seconds) && seconds > 0 ? seconds : otherwise;
}

/* Link: </api/v1/cameras?cursor=abc>; rel="next" */
function nextCursor(link: string | null): string | undefined {
  const [, address] = /<([^>]*)>\s*;\s*rel="?next"?/.exec(link ?? "") ?? [];

  if (address === undefined) {
    return undefined;
  }

  const query = address.slice(address.indexOf("?") + 1);

  return new URLSearchParams(query).get("cursor") ?? undefined;
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null
    ? (value as Record<string, unknown>)[name]
    : undefined;
}

function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
