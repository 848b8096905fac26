/*
 * Who is logged in, and the access token, which lives here and nowhere else.
 *
 *   starting  asking whether the cookie still has a session [start]
 *   away      the server did not answer that; asked again [start]
 *   out       log in, please; says so when a session ended by itself [login]
 *   in        a user and a token [accept]
 *
 * A token is renewed when it comes near its end and when the server refuses
 * it.  A refresh token is good for one use, so within this tab one renewal
 * runs at a time and every caller waits for it; among tabs a lock does the
 * same, and whoever gets the lock second finds the token of the first.
 */

import type { Credentials, Tokens } from "./api";
import { MUST_CHANGE, type Outcome, type Refusal } from "./outcome";
import type { Tabs } from "./tabs";
import type { AuthResponse, User } from "./types";

export type SessionState =
  | { kind: "starting" }
  | { kind: "away"; refusal: Refusal }
  | { kind: "out"; ended: boolean }
  | { kind: "in"; user: User };

export interface Auth {
  login(credentials: Credentials): Promise<Outcome<AuthResponse>>;
  refresh(): Promise<Outcome<AuthResponse>>;
  logout(token: string | undefined): Promise<Outcome<void>>;
}

interface Access {
  token: string;
  renewAt: number; // by this machine's clock
  endsAt: number;
}

const MARGIN_MS = 60_000;

export class Session implements Tokens {
  private access: Access | undefined;
  private renewing: Promise<Outcome<string>> | undefined;
  private readonly listeners = new Set<() => void>();
  private current: SessionState = { kind: "starting" };

  constructor(
    private readonly auth: Auth,
    private readonly tabs: Tabs,
    private readonly now: () => number = Date.now,
  ) {
    tabs.listen((message) => {
      if (message.kind === "out") {
        this.end(false);
      } else {
        this.accept(message.auth, message.at);
      }
    });
  }

  get state(): SessionState {
    return this.current;
  }

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  async start(): Promise<void> {
    this.enter({ kind: "starting" });
    const outcome = await this.refresh();

    if (outcome.kind !== "ok" && outcome.kind !== "signed-out") {
      this.enter({ kind: "away", refusal: outcome });
    }
  }

  login(credentials: Credentials): Promise<Outcome<AuthResponse>> {
    return this.join(() => this.auth.login(credentials));
  }

  /* whatever answers with tokens */
  async join(
    ask: () => Promise<Outcome<AuthResponse>>,
  ): Promise<Outcome<AuthResponse>> {
    const outcome = await this.tabs.exclusive(ask);

    if (outcome.kind === "ok") {
      this.share(outcome.value);
    }

    return outcome;
  }

  /* only the server can remove the cookie: without it, one stays logged in */
  async logout(): Promise<Outcome<void>> {
    const outcome = await this.tabs.exclusive(() =>
      this.auth.logout(this.access?.token),
    );

    if (outcome.kind === "ok" || outcome.kind === "signed-out") {
      this.tabs.post({ kind: "out" });
      this.end(false);
    }

    return outcome;
  }

  /* a password that somebody else chose comes before everything else */
  note(outcome: Outcome<unknown>): void {
    if (outcome.kind === "denied" && outcome.code === MUST_CHANGE) {
      this.know({ mustChangePassword: true });
    }
  }

  /* a renewal tells the other tabs, whose user is the old one */
  passwordChanged(): void {
    this.know({ mustChangePassword: false });
    void this.refresh();
  }

  async token(): Promise<string | undefined> {
    const { access } = this;

    if (access !== undefined && this.now() >= access.renewAt) {
      const renewal = this.refresh();

      /* while the old one is good, nobody has to wait for the new one */
      if (this.now() >= access.endsAt) {
        await renewal;
      }
    }

    return this.access?.token;
  }

  async renew(refused: string): Promise<Outcome<string>> {
    return this.access !== undefined && this.access.token !== refused
      ? held(this.access)
      : this.refresh();
  }

  private refresh(): Promise<Outcome<string>> {
    this.renewing ??= this.refreshOnce(this.access?.token).finally(() => {
      this.renewing = undefined;
    });

    return this.renewing;
  }

  private refreshOnce(old: string | undefined): Promise<Outcome<string>> {
    return this.tabs.exclusive(async () => {
      if (this.access !== undefined && this.access.token !== old) {
        return held(this.access); // another tab was faster
      }

      const outcome = await this.auth.refresh();

      if (outcome.kind === "ok") {
        return held(this.share(outcome.value));
      }

      if (outcome.kind === "signed-out") {
        this.end(this.current.kind === "in");
      }

      return outcome;
    });
  }

  private share(auth: AuthResponse): Access {
    const at = this.now();

    this.tabs.post({ kind: "token", auth, at });
    return this.accept(auth, at);
  }

  private accept(auth: AuthResponse, at: number): Access {
    const life = auth.expiresIn * 1000;
    const access = {
      token: auth.accessToken,
      renewAt: at + life - Math.min(MARGIN_MS, life / 3),
      endsAt: at + life,
    };

    this.access = access;
    this.enter({ kind: "in", user: auth.user });
    return access;
  }

  private know(news: Partial<User>): void {
    if (this.current.kind === "in") {
      this.enter({ kind: "in", user: { ...this.current.user, ...news } });
    }
  }

  private end(ended: boolean): void {
    this.access = undefined;
    this.enter({ kind: "out", ended });
  }

  private enter(state: SessionState): void {
    this.current = state;

    for (const listener of this.listeners) {
      listener();
    }
  }
}

function held(access: { token: string }): Outcome<string> {
  return {
    kind: "ok",
    value: access.token,
    etag: undefined,
    cursor: undefined,
  };
}
