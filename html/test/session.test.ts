/* Tests for session.ts: one renewal at a time, in a tab and among tabs. */

import { describe, expect, it } from "vitest";
import type { Outcome, Refusal } from "../src/outcome";
import { type Auth, Session } from "../src/session";
import type { Message, Tabs } from "../src/tabs";
import type { AuthResponse } from "../src/types";
import { authResponse } from "./server";

function refusal(kind: "away" | "signed-out" | "credentials"): Refusal {
  const said = { code: "X", message: "x", requestId: undefined };

  return kind === "away" ? { ...said, kind, seconds: 3 } : { ...said, kind };
}

function success<T>(value: T): Outcome<T> {
  return { kind: "ok", value, etag: undefined, cursor: undefined };
}

/* a server whose refresh token is good for one use */
class Cookies implements Auth {
  refreshes = 0;
  together = 0;
  answers: Outcome<AuthResponse>[] = [];
  logouts: (string | undefined)[] = [];

  login = () => Promise.resolve(this.next());

  async refresh() {
    this.refreshes++;
    this.together++;
    expect(this.together).toBe(1);
    await Promise.resolve();
    this.together--;
    return this.next();
  }

  logout = (token: string | undefined) => {
    this.logouts.push(token);
    return Promise.resolve(success(undefined));
  };

  private next(): Outcome<AuthResponse> {
    return this.answers.shift() ?? refusal("signed-out");
  }
}

/* what a browser's lock and channel do, for any number of sessions */
class Browser {
  private last: Promise<unknown> = Promise.resolve();
  private readonly tabs: ((message: Message) => void)[] = [];

  tab(): Tabs {
    let own: (message: Message) => void = () => undefined;

    return {
      exclusive: (work) => {
        const mine = this.last.then(work, work);

        this.last = mine;
        return mine;
      },
      post: (message) =>
        this.tabs.filter((tab) => tab !== own).forEach((tab) => tab(message)),
      listen: (listener) => {
        own = listener;
        this.tabs.push(listener);
        return () => undefined;
      },
    };
  }
}

function setUp(...answers: Outcome<AuthResponse>[]) {
  const cookies = new Cookies();
  const clock = { now: 0 };
  const browser = new Browser();
  const open = () => new Session(cookies, browser.tab(), () => clock.now);

  cookies.answers = answers;
  return { cookies, clock, browser, open, session: open() };
}

describe("at the start", () => {
  it("the cookie brings the session back", async () => {
    const { session } = setUp(success(authResponse("a")));

    expect(session.state.kind).toBe("starting");
    await session.start();
    expect(session.state).toMatchObject({ kind: "in", user: { username: "olga" } });
    expect(await session.token()).toBe("a");
  });

  it("without one, one has to log in, and nothing ended", async () => {
    const { session } = setUp(refusal("signed-out"));

    await session.start();
    expect(session.state).toEqual({ kind: "out", ended: false });
    expect(await session.token()).toBeUndefined();
  });

  it("an absent server logs nobody out", async () => {
    const { session } = setUp(refusal("away"), success(authResponse("a")));

    await session.start();
    expect(session.state.kind).toBe("away");
    await session.start();
    expect(session.state.kind).toBe("in");
  });
});

describe("a token", () => {
  it("is renewed once for all who find it refused", async () => {
    const { session, cookies } = setUp(
      success(authResponse("a")),
      success(authResponse("b")),
    );

    await session.start();
    const outcomes = await Promise.all([1, 2, 3].map(() => session.renew("a")));

    expect(outcomes.map((one) => one.kind === "ok" && one.value)).toEqual(
      Array(3).fill("b"),
    );
    expect(cookies.refreshes).toBe(2);
  });

  it("that is not the present one is not renewed", async () => {
    const { session, cookies } = setUp(success(authResponse("b")));

    await session.start();
    expect(await session.renew("a")).toMatchObject({ value: "b" });
    expect(cookies.refreshes).toBe(1);
  });

  it("is renewed before its end, and nobody waits for that", async () => {
    const { session, clock, cookies } = setUp(
      success(authResponse("a", 900)),
      success(authResponse("b", 900)),
    );

    await session.start();
    clock.now = 839_000;
    expect(await session.token()).toBe("a");
    expect(cookies.refreshes).toBe(1);

    clock.now = 841_000;
    expect(await session.token()).toBe("a");
    expect(await session.renew("a")).toMatchObject({ value: "b" });
    expect(cookies.refreshes).toBe(2);
    expect(await session.token()).toBe("b");
  });

  it("that has ended is waited for", async () => {
    const { session, clock } = setUp(
      success(authResponse("a", 900)),
      success(authResponse("b", 900)),
    );

    await session.start();
    clock.now = 5_000_000;
    expect(await session.token()).toBe("b");
  });

  it("with a short life is renewed in its last third", async () => {
    const { session, clock, cookies } = setUp(
      success(authResponse("a", 9)),
      success(authResponse("b", 9)),
    );

    await session.start();
    clock.now = 5_900;
    await session.token();
    expect(cookies.refreshes).toBe(1);
    clock.now = 6_100;
    await session.token();
    expect(cookies.refreshes).toBe(2);
  });

  it("survives a server that cannot renew it now", async () => {
    const { session, clock } = setUp(
      success(authResponse("a", 900)),
      refusal("away"),
      success(authResponse("b", 900)),
    );

    await session.start();
    clock.now = 850_000;
    expect(await session.token()).toBe("a");
    expect(await session.renew("a")).toMatchObject({ kind: "away" });
    expect(session.state.kind).toBe("in");
    expect(await session.renew("a")).toMatchObject({ value: "b" });
  });
});

describe("a session", () => {
  it("that the server ended says so", async () => {
    const { session } = setUp(success(authResponse("a")), refusal("signed-out"));

    await session.start();
    expect(await session.renew("a")).toMatchObject({ kind: "signed-out" });
    expect(session.state).toEqual({ kind: "out", ended: true });
  });

  it("is left with both tokens", async () => {
    const { session, cookies } = setUp(success(authResponse("a")));

    await session.start();
    await session.logout();
    expect(cookies.logouts).toEqual(["a"]);
    expect(session.state).toEqual({ kind: "out", ended: false });
  });

  it("goes on when the server did not hear of the log out", async () => {
    const { session, cookies } = setUp(success(authResponse("a")));

    cookies.logout = () => Promise.resolve(refusal("away"));
    await session.start();
    expect((await session.logout()).kind).toBe("away");
    expect(session.state.kind).toBe("in");
  });

  it("wrong credentials change nothing", async () => {
    const { session } = setUp(refusal("signed-out"), refusal("credentials"));

    await session.start();
    await session.login({ username: "o", password: "p", remember: false });
    expect(session.state).toEqual({ kind: "out", ended: false });
  });
});

describe("a password that somebody else chose", () => {
  const demand = {
    kind: "denied" as const,
    code: "PASSWORD_CHANGE_REQUIRED",
    message: "x",
    requestId: undefined,
  };

  const given = (token: string, mustChangePassword: boolean) => {
    const answer = authResponse(token);

    return success({ ...answer, user: { ...answer.user, mustChangePassword } });
  };

  const mustChange = ({ state }: Session) =>
    state.kind === "in" && state.user.mustChangePassword;

  it("has to be changed after logging in", async () => {
    const { session } = setUp(given("a", true));

    await session.login({ username: "o", password: "p", remember: false });
    expect(mustChange(session)).toBe(true);
  });

  it("is known as soon as the server says it, and no other refusal", async () => {
    const { session } = setUp(given("a", false));

    await session.start();
    session.note({ ...demand, code: "AUTH_INSUFFICIENT_PERMISSIONS" });
    expect(mustChange(session)).toBe(false);
    session.note(demand);
    expect(mustChange(session)).toBe(true);
  });

  it("asks nobody who has left", async () => {
    const { session } = setUp(refusal("signed-out"));

    await session.start();
    session.note(demand);
    expect(session.state).toEqual({ kind: "out", ended: false });
  });

  it("is over in every tab once it was changed", async () => {
    const { session, open } = setUp(given("a", true), given("b", false));
    const other = open();

    await session.start();
    expect(mustChange(other)).toBe(true);
    session.passwordChanged();
    expect(mustChange(session)).toBe(false);
    await session.renew("a");
    expect(mustChange(other)).toBe(false);
  });

  it("is over without a server that renews, too", async () => {
    const { session } = setUp(given("a", true), refusal("away"));

    await session.start();
    session.passwordChanged();
    await session.renew("a");
    expect(mustChange(session)).toBe(false);
  });
});

describe("two tabs", () => {
  it("use the cookie once when both find their token refused", async () => {
    const { session, open, cookies } = setUp(
      success(authResponse("a")),
      success(authResponse("b")),
      success(authResponse("c")),
    );
    const other = open();

    await session.start();
    expect(other.state.kind).toBe("in");

    const [one, two] = await Promise.all([session.renew("a"), other.renew("a")]);

    expect(one).toMatchObject({ value: "b" });
    expect(two).toMatchObject({ value: "b" });
    expect(cookies.refreshes).toBe(2);
  });

  it("log in and out together", async () => {
    const { session, open } = setUp(
      refusal("signed-out"),
      refusal("signed-out"),
      success(authResponse("a")),
    );
    const other = open();

    await session.start();
    await other.start();
    await session.login({ username: "o", password: "p", remember: false });
    expect(other.state.kind).toBe("in");

    await other.logout();
    expect(session.state).toEqual({ kind: "out", ended: false });
  });
});
