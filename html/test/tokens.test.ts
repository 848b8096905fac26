/* Tests for tokens/: what may be given, what is sent, what is said of one. */

import { describe, expect, it } from "vitest";
import { Api } from "../src/api";
import { choices, EMPTY, isReady, toCreate } from "../src/tokens/form";
import {
  dayWords,
  expiryWords,
  networkWords,
  rateWords,
  stateWords,
  usageWords,
  usedWords,
} from "../src/tokens/words";
import type { ApiTokenDay, Permission, User } from "../src/types";
import { ok, Server } from "./server";

const NOW = Date.parse("2026-03-01T12:00:00.000Z");
const DAY = 86_400_000;

function whoMay(...permissions: Permission[]): User {
  return {
    id: "u1",
    username: "carla",
    email: null,
    name: null,
    role: "operator",
    permissions,
    mustChangePassword: false,
  } as User;
}

function at(ms: number): string {
  return new Date(NOW + ms).toISOString();
}

function days(...counts: [number, number][]): ApiTokenDay[] {
  return counts.map(([requests, limited], n) => ({
    date: `2026-02-0${n + 1}`,
    requests,
    limited,
  }));
}

describe("what a token may be given", () => {
  it("is what its maker may do", () => {
    expect(choices(whoMay("cameras:read", "streams:view"))).toEqual([
      "cameras:read",
      "streams:view",
    ]);
  });

  it("is of some use: making tokens is for people, all is for nobody", () => {
    const all = choices(whoMay("*"));

    expect(all).toContain("audit:read");
    expect(all).not.toContain("tokens:manage");
    expect(all).not.toContain("*");
  });

  it("is what it has as well, so that it can be taken away", () => {
    expect(
      choices(whoMay("cameras:read"), new Set<Permission>(["users:manage"])),
    ).toEqual(["cameras:read", "users:manage"]);
  });
});

describe("a new token", () => {
  const form = {
    ...EMPTY,
    name: " Reception ",
    permissions: new Set<Permission>(["cameras:read"]),
  };

  it("has a name, something to do and a rate", () => {
    expect(isReady(form)).toBe(true);
    expect(isReady({ ...form, name: " " })).toBe(false);
    expect(isReady({ ...form, permissions: new Set() })).toBe(false);
    for (const rateLimit of ["", "0", "ten", "-1", "1e3"]) {
      expect(isReady({ ...form, rateLimit })).toBe(false);
    }
  });

  it("is sent with what was said alone", () => {
    expect(toCreate({ ...form, expiresIn: 0 }, NOW)).toEqual({
      name: "Reception",
      permissions: ["cameras:read"],
      rateLimit: 1000,
      rateWindow: 3600,
    });
  });

  it("ends when its time is over, and is bound to networks", () => {
    expect(
      toCreate(
        {
          ...form,
          owner: "u2",
          remark: "Second floor ",
          expiresIn: 86_400,
          allowedCidrs: "192.0.2.0/24, 2001:db8::/32\n",
        },
        NOW,
      ),
    ).toMatchObject({
      userId: "u2",
      remark: "Second floor",
      expiresAt: at(DAY),
      allowedCidrs: ["192.0.2.0/24", "2001:db8::/32"],
    });
  });
});

describe("the state of a token", () => {
  it.each([
    [true, null, "Active"],
    [true, at(30 * DAY), "Active"],
    [true, at(2 * DAY), "Expires soon"],
    [true, at(-1), "Expired"],
    [false, at(30 * DAY), "Revoked"],
    [false, null, "Revoked"],
  ])("%s, %s: %s", (isActive, expiresAt, word) => {
    expect(stateWords({ isActive, expiresAt }, NOW).word).toBe(word);
  });
});

describe("what is said of a token", () => {
  it("is what it may ask, and from where", () => {
    expect(rateWords({ rateLimit: 50, rateWindow: 60 })).toBe("50 a minute");
    expect(rateWords({ rateLimit: 5, rateWindow: 10 })).toBe("5 in 10 seconds");
    expect(networkWords([])).toBe("from anywhere");
    expect(networkWords(["192.0.2.7/32"])).toBe("from 192.0.2.7/32");
    expect(expiryWords(null)).toBe("never expires");
    expect(usedWords(null)).toBe("never used");
    expect(usedWords(at(-90_000), NOW)).toBe("used 2 minutes ago");
  });

  it("is how much it was used", () => {
    expect(usageWords(days([0, 0], [0, 0]))).toBe("Not used in 2 days");
    expect(usageWords(days([1, 0], [0, 0]))).toMatch(/^1 request in 2 days, /);
    expect(usageWords(days([3, 0], [9, 2]))).toMatch(
      /^12 requests in 2 days, 2 too many, most on .*2.*: 9$/,
    );
    expect(days([4, 1]).map(dayWords)[0]).toMatch(/: 4 requests, 1 too many$/);
  });
});

describe("a request", () => {
  it("names a token safely, and asks for some of them", async () => {
    const server = new Server().will(ok({}), ok([]), ok([]));
    const { tokens } = new Api({
      token: () => Promise.resolve("first"),
      renew: () => Promise.reject(new Error("not asked for")),
    });

    await tokens.setPermissions("a/b", ["cameras:read"]);
    await tokens.list(false, undefined);
    await tokens.usage("a/b", 30);
    expect(server.asked).toMatchObject([
      {
        method: "PUT",
        url: "./api/v1/tokens/a%2Fb/permissions",
        body: { permissions: ["cameras:read"] },
      },
      { url: "./api/v1/tokens?isActive=false&limit=50" },
      { url: "./api/v1/tokens/a%2Fb/usage?days=30" },
    ]);
  });
});
