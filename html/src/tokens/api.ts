/* What the REST API has about API tokens and how much they are used. */

import type { Outcome } from "../outcome";
import { type Call, json, nothing, type Reader } from "../request";
import type {
  ApiToken,
  ApiTokenCreate,
  ApiTokenCreated,
  ApiTokenDay,
  Permission,
} from "../types";

type Ask = <T>(call: Call, read: Reader<T>) => Promise<Outcome<T>>;

const PAGE_SIZE = 50;

export class TokensApi {
  constructor(private readonly ask: Ask) {}

  list(
    isActive: boolean | undefined,
    cursor: string | undefined,
    signal?: AbortSignal,
  ): Promise<Outcome<ApiToken[]>> {
    return this.ask(
      {
        method: "GET",
        path: "/tokens",
        query: { isActive, limit: PAGE_SIZE, cursor },
        signal,
      },
      json<ApiToken[]>,
    );
  }

  /* the only answer that has the token itself */
  create(body: ApiTokenCreate): Promise<Outcome<ApiTokenCreated>> {
    return this.ask(
      { method: "POST", path: "/tokens", body },
      json<ApiTokenCreated>,
    );
  }

  setPermissions(
    id: string,
    permissions: Permission[],
  ): Promise<Outcome<ApiToken>> {
    return this.ask(
      {
        method: "PUT",
        path: tokenPath(id, "/permissions"),
        body: { permissions },
      },
      json<ApiToken>,
    );
  }

  revoke(id: string): Promise<Outcome<void>> {
    return this.ask({ method: "DELETE", path: tokenPath(id) }, nothing);
  }

  usage(
    id: string,
    days: number,
    signal?: AbortSignal,
  ): Promise<Outcome<ApiTokenDay[]>> {
    return this.ask(
      {
        method: "GET",
        path: tokenPath(id, "/usage"),
        query: { days },
        signal,
      },
      json<ApiTokenDay[]>,
    );
  }
}

function tokenPath(id: string, rest = ""): string {
  return `/tokens/${encodeURIComponent(id)}${rest}`;
}
