/*
 * The only file that fetches (players fetch media by themselves).
 *
 * `send` answers an `Outcome` and never throws, with one exception: a request
 * that its caller aborts rejects with the reason of the abort.
 */

import {
  type Outcome,
  refusal,
  success,
  unreachable,
  unreadable,
} from "./outcome";

export interface Call {
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  path: string;
  query?: Record<string, string | number | boolean | undefined>;
  headers?: Record<string, string | undefined>;
  body?: unknown;
  signal?: AbortSignal | undefined;
  keepalive?: boolean;
}

export type Reader<T> = (response: Response) => Promise<T>;

const BASE = "./api/v1";
const TIMEOUT_MS = 15_000;

export const json = <T>(response: Response): Promise<T> => response.json();
export const blob: Reader<Blob> = (response) => response.blob();
export const nothing: Reader<void> = () => Promise.resolve();

export async function send<T>(call: Call, read: Reader<T>): Promise<Outcome<T>> {
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
