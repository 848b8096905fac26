/* Tests for api.ts: what goes over the wire, and what comes of every answer. */

import { beforeEach, describe, expect, it } from "vitest";
import { Api, auth, type Tokens } from "../src/api";
import type { Outcome } from "../src/outcome";
import { authResponse, ok, refused, Server } from "./server";

let server: Server;

beforeEach(() => {
  server = new Server();
});

class TwoTokens implements Tokens {
  renewals: string[] = [];

  constructor(private readonly second: Outcome<string> = good("second")) {}

  token() {
    return Promise.resolve("first");
  }

  renew(old: string) {
    this.renewals.push(old);
    return Promise.resolve(this.second);
  }
}

function good(value: string): Outcome<string> {
  return { kind: "ok", value, etag: undefined, cursor: undefined };
}

describe("a request", () => {
  it("carries the token, its parameters and nothing that is empty", async () => {
    server.will(ok([], { Link: '</api/v1/cameras?limit=48&cursor=a%2Bb>; rel="next"' }));

    const outcome = await new Api(new TwoTokens()).cameras(
      { q: "", status: "online" },
      "x/y",
    );

    expect(server.asked[0]).toMatchObject({
      method: "GET",
      url: "./api/v1/cameras?status=online&limit=48&cursor=x%2Fy",
      body: undefined,
    });
    expect(server.asked[0]?.headers.get("Authorization")).toBe("Bearer first");
    expect(outcome).toMatchObject({ kind: "ok", value: [], cursor: "a+b" });
  });

  it("has no next page without a link to it", async () => {
    server.will(ok([], { Link: '</api/v1/cameras>; rel="first"' }));
    const outcome = await new Api(new TwoTokens()).cameras({}, undefined);

    expect(outcome).toMatchObject({ kind: "ok", cursor: undefined });
  });

  it("names a camera safely and answers its version", async () => {
    server.will(ok({ id: "1" }, { ETag: '"7"' }));
    const outcome = await new Api(new TwoTokens()).camera("a/b?c");

    expect(server.asked[0]?.url).toBe("./api/v1/cameras/a%2Fb%3Fc");
    expect(outcome).toMatchObject({ kind: "ok", etag: '"7"' });
  });

  it("sends If-Match only when there is a version", async () => {
    server.will(ok({}), ok({}));
    const api = new Api(new TwoTokens());

    await api.updateCamera("1", { name: "gate" }, '"7"');
    await api.updateCamera("1", { name: "gate" }, undefined);

    expect(server.asked[0]?.headers.get("If-Match")).toBe('"7"');
    expect(server.asked[0]?.headers.get("Content-Type")).toBe("application/json");
    expect(server.asked[0]?.body).toEqual({ name: "gate" });
    expect(server.asked[1]?.headers.has("If-Match")).toBe(false);
  });

  it("takes 204 for a success", async () => {
    server.will(new Response(null, { status: 204 }));
    expect(await new Api(new TwoTokens()).revokeKeys("1")).toMatchObject({
      kind: "ok",
    });
  });
});

describe("the session's calls", () => {
  it("ask for a cookie at log in", async () => {
    server.will(ok(authResponse("a")));
    await auth.login({ username: "olga", password: "secret12", remember: true });

    expect(server.asked[0]?.body).toEqual({
      username: "olga",
      password: "secret12",
      remember: true,
      cookie: true,
    });
    expect(server.asked[0]?.headers.has("Authorization")).toBe(false);
  });

  it("send with the cookie what no foreign page can send", async () => {
    server.will(ok(authResponse("a")), new Response(null, { status: 204 }));
    await auth.refresh();
    await auth.logout("a");

    for (const { headers } of server.asked) {
      expect(headers.get("X-Requested-With")).toBe("camera");
    }
    expect(server.asked[1]?.headers.get("Authorization")).toBe("Bearer a");
  });
});

describe("a refused token", () => {
  it("is renewed once and the request repeated", async () => {
    const tokens = new TwoTokens();

    server.will(refused(401, "AUTH_TOKEN_INVALID"), ok({ id: "1" }));
    const outcome = await new Api(tokens).camera("1");

    expect(outcome.kind).toBe("ok");
    expect(tokens.renewals).toEqual(["first"]);
    expect(
      server.asked.map(({ headers }) => headers.get("Authorization")),
    ).toEqual(["Bearer first", "Bearer second"]);
  });

  it("is renewed only once", async () => {
    const tokens = new TwoTokens();

    server.will(
      refused(401, "AUTH_TOKEN_INVALID"),
      refused(401, "AUTH_TOKEN_INVALID"),
    );
    expect((await new Api(tokens).camera("1")).kind).toBe("signed-out");
    expect(tokens.renewals.length).toBe(1);
  });

  it("answers why there is no other", async () => {
    const away: Outcome<string> = {
      kind: "away",
      seconds: 3,
      code: "SERVICE_UNAVAILABLE",
      message: "The database is away.",
      requestId: undefined,
    };

    server.will(refused(401, "AUTH_TOKEN_INVALID"));
    expect(await new Api(new TwoTokens(away)).camera("1")).toEqual(away);
  });

  it("is not what a wrong password means", async () => {
    const tokens = new TwoTokens();

    server.will(refused(401, "AUTH_CREDENTIALS_INVALID"));
    const outcome = await new Api(tokens).changePassword({
      currentPassword: "wrong",
      newPassword: "abcd1234",
    });

    expect(outcome.kind).toBe("credentials");
    expect(tokens.renewals).toEqual([]);
  });
});

describe("an answer becomes", () => {
  const cases: [number, string, string][] = [
    [400, "VALIDATION_FAILED", "invalid"],
    [403, "AUTH_INSUFFICIENT_PERMISSIONS", "denied"],
    [403, "AUTH_ROLE_RESTRICTED", "denied"],
    [404, "CAMERA_NOT_FOUND", "missing"],
    [404, "STREAM_OFFLINE", "offline"],
    [503, "STREAM_OFFLINE", "offline"],
    [409, "CAMERA_SERIAL_DUPLICATE", "conflict"],
    [412, "PRECONDITION_FAILED", "changed"],
    [429, "RATE_LIMIT_EXCEEDED", "busy"],
    [503, "SERVICE_UNAVAILABLE", "away"],
    [500, "INTERNAL_ERROR", "failed"],
    [405, "METHOD_NOT_ALLOWED", "failed"],
  ];

  it.each(cases)("%i %s: %s", async (status, code, kind) => {
    server.will(refused(status, code));
    const outcome = await new Api(new TwoTokens()).camera("1");

    expect(outcome).toMatchObject({
      kind,
      code,
      message: `${code} in words.`,
      requestId: "7f3c0c1e5ad24d3b",
    });
  });

  it("the fields that are wrong", async () => {
    server.will(
      refused(400, "VALIDATION_FAILED", {
        details: [
          { field: "name", message: "is required" },
          { field: 7, message: "is not a field" },
          null,
        ],
      }),
    );

    expect(await new Api(new TwoTokens()).createCamera({} as never, "k")).toMatchObject({
      kind: "invalid",
      fields: [{ field: "name", message: "is required" }],
    });
  });

  it("the seconds to wait", async () => {
    server.will(
      refused(429, "RATE_LIMIT_EXCEEDED", { headers: { "Retry-After": "17" } }),
      refused(503, "SERVICE_UNAVAILABLE", { headers: { "Retry-After": "soon" } }),
    );
    const api = new Api(new TwoTokens());

    expect(await api.camera("1")).toMatchObject({ kind: "busy", seconds: 17 });
    expect(await api.camera("1")).toMatchObject({ kind: "away", seconds: 3 });
  });

  it("away, when nobody answers", async () => {
    server.will(new TypeError("Failed to fetch"));
    expect(await new Api(new TwoTokens()).camera("1")).toMatchObject({
      kind: "away",
      code: "UNREACHABLE",
    });
  });

  it("what its status says, when it is a page of a proxy", async () => {
    server.will(
      new Response("<html>502 Bad Gateway</html>", {
        status: 502,
        headers: { "X-Request-Id": "abc" },
      }),
    );
    expect(await new Api(new TwoTokens()).camera("1")).toMatchObject({
      kind: "away",
      code: "HTTP_502",
      requestId: "abc",
    });
  });

  it("failed, when a success is not JSON", async () => {
    server.will(new Response("<html>a captive portal</html>", { status: 200 }));
    expect(await new Api(new TwoTokens()).camera("1")).toMatchObject({
      kind: "failed",
      code: "UNREADABLE",
    });
  });
});

it("an aborted request rejects, for it has no outcome", async () => {
  const abort = new AbortController();

  abort.abort();
  await expect(
    new Api(new TwoTokens()).camera("1", abort.signal),
  ).rejects.toThrow(/abort/i);
});

it("every outcome is noted, but not that of a picture", async () => {
  const noted: string[] = [];
  const api = new Api(new TwoTokens(), ({ kind }) => noted.push(kind));

  server.will(ok({}), refused(503, "SERVICE_UNAVAILABLE"), refused(503, "SERVICE_UNAVAILABLE"));
  await api.camera("1");
  await api.camera("1");
  await api.snapshot("1", 320);

  expect(noted).toEqual(["ok", "away"]);
});

describe("a changed password", () => {
  it("is waited for while the server still asks for it", async () => {
    const again = () => refused(403, "PASSWORD_CHANGE_REQUIRED");

    server.will(again(), again(), ok([]));
    await new Api(new TwoTokens()).passwordCounts(0);
    expect(server.asked).toHaveLength(3);
  });

  it("is waited for in vain without a server", async () => {
    server.will(new TypeError("no network"));
    await new Api(new TwoTokens()).passwordCounts(0);
    expect(server.asked).toHaveLength(1);
  });
});
