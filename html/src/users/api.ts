/* What the REST API has about users, their sessions and their grants. */

import type { Outcome } from "../outcome";
import { type Call, json, nothing, type Reader } from "../request";
import type {
  Account,
  AccountCreate,
  AccountUpdate,
  Grants,
  GrantsPut,
  UserSession,
} from "../types";

type Ask = <T>(call: Call, read: Reader<T>) => Promise<Outcome<T>>;

const PAGE_SIZE = 50;
const ALL = 200; // the most that one answer has

export class UsersApi {
  constructor(private readonly ask: Ask) {}

  list(
    q: string,
    cursor: string | undefined,
    signal?: AbortSignal,
  ): Promise<Outcome<Account[]>> {
    return this.ask(
      {
        method: "GET",
        path: "/users",
        query: { q, limit: PAGE_SIZE, cursor },
        signal,
      },
      json<Account[]>,
    );
  }

  /* to choose from */
  all(signal?: AbortSignal): Promise<Outcome<Account[]>> {
    return this.ask(
      { method: "GET", path: "/users", query: { limit: ALL }, signal },
      json<Account[]>,
    );
  }

  create(body: AccountCreate, key: string): Promise<Outcome<Account>> {
    return this.ask(
      {
        method: "POST",
        path: "/users",
        headers: { "Idempotency-Key": key },
        body,
      },
      json<Account>,
    );
  }

  update(id: string, body: AccountUpdate): Promise<Outcome<Account>> {
    return this.ask(
      { method: "PATCH", path: userPath(id), body },
      json<Account>,
    );
  }

  remove(id: string): Promise<Outcome<void>> {
    return this.ask({ method: "DELETE", path: userPath(id) }, nothing);
  }

  resetPassword(id: string, password: string): Promise<Outcome<void>> {
    return this.ask(
      { method: "POST", path: userPath(id, "/password"), body: { password } },
      nothing,
    );
  }

  sessions(id: string, signal?: AbortSignal): Promise<Outcome<UserSession[]>> {
    return this.ask(
      { method: "GET", path: userPath(id, "/sessions"), signal },
      json<UserSession[]>,
    );
  }

  endSession(id: string, session: string): Promise<Outcome<void>> {
    const path = userPath(id, `/sessions/${encodeURIComponent(session)}`);

    return this.ask({ method: "DELETE", path }, nothing);
  }

  grants(id: string, signal?: AbortSignal): Promise<Outcome<Grants>> {
    return this.ask(
      { method: "GET", path: userPath(id, "/grants"), signal },
      json<Grants>,
    );
  }

  putGrants(id: string, body: GrantsPut): Promise<Outcome<Grants>> {
    return this.ask(
      { method: "PUT", path: userPath(id, "/grants"), body },
      json<Grants>,
    );
  }
}

function userPath(id: string, rest = ""): string {
  return `/users/${encodeURIComponent(id)}${rest}`;
}
