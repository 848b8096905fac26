/* What the REST API has about layouts, of which each user has their own. */

import type { Outcome } from "../outcome";
import { type Call, json, nothing, type Reader } from "../request";
import type { Layout, LayoutCreate, LayoutUpdate } from "../types";

type Ask = <T>(call: Call, read: Reader<T>) => Promise<Outcome<T>>;

const ALL = 200; // the most that one answer has

export class LayoutsApi {
  constructor(private readonly ask: Ask) {}

  list(signal?: AbortSignal): Promise<Outcome<Layout[]>> {
    return this.ask(
      { method: "GET", path: "/layouts", query: { limit: ALL }, signal },
      json<Layout[]>,
    );
  }

  /* with the version that a change is made over */
  one(id: string, signal?: AbortSignal): Promise<Outcome<Layout>> {
    return this.ask(
      { method: "GET", path: layoutPath(id), signal },
      json<Layout>,
    );
  }

  create(body: LayoutCreate, key: string): Promise<Outcome<Layout>> {
    return this.ask(
      {
        method: "POST",
        path: "/layouts",
        headers: { "Idempotency-Key": key },
        body,
      },
      json<Layout>,
    );
  }

  update(
    id: string,
    body: LayoutUpdate,
    etag?: string,
  ): Promise<Outcome<Layout>> {
    return this.ask(
      {
        method: "PATCH",
        path: layoutPath(id),
        headers: { "If-Match": etag },
        body,
      },
      json<Layout>,
    );
  }

  remove(id: string): Promise<Outcome<void>> {
    return this.ask({ method: "DELETE", path: layoutPath(id) }, nothing);
  }
}

function layoutPath(id: string): string {
  return `/layouts/${encodeURIComponent(id)}`;
}
