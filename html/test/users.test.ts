/* Tests for users/: what is sent of a form, and what a password is made of. */

import { describe, expect, it } from "vitest";
import { Api } from "../src/api";
import type { Refusal } from "../src/outcome";
import type { Account } from "../src/types";
import {
  EMPTY,
  isAtField,
  makePassword,
  roleName,
  toCreate,
  toForm,
  toUpdate,
  userMessage,
} from "../src/users/form";
import { ok, Server } from "./server";

const CARLA: Account = {
  id: "c1",
  username: "carla",
  email: "carla@example.org",
  name: "Carla Nowak",
  role: "viewer",
  isActive: true,
  mustChangePassword: false,
  cameraScope: "all",
  lastLoginAt: null,
  createdAt: "2026-01-01T00:00:00.000Z",
  updatedAt: "2026-01-01T00:00:00.000Z",
};

const carla = toForm(CARLA);

function conflict(code: string): Refusal {
  return { kind: "conflict", code, message: "x", requestId: undefined };
}

describe("a new user", () => {
  it("is sent without blanks at the ends and without an empty address", () => {
    expect(
      toCreate(
        { ...EMPTY, username: " carla ", email: " ", name: " Carla " },
        "first day 1",
      ),
    ).toEqual({
      username: "carla",
      name: "Carla",
      role: "viewer",
      cameraScope: "all",
      password: "first day 1",
    });
  });

  it("gets a password that the server takes, and each another one", () => {
    const made = Array.from({ length: 50 }, makePassword);

    expect(new Set(made).size).toBe(50);
    made.forEach((one) => expect(one).toMatch(/^([a-z]{3}\d-){3}[a-z]{3}\d$/));
  });
});

describe("a change", () => {
  it("sends what differs alone", () => {
    expect(toUpdate(carla, carla)).toEqual({});
    expect(toUpdate(carla, { ...carla, role: "operator" })).toEqual({
      role: "operator",
    });
    expect(
      toUpdate(carla, { ...carla, isActive: false, cameraScope: "granted" }),
    ).toEqual({ isActive: false, cameraScope: "granted" });
  });

  it("takes an address or a name away, or leaves none there", () => {
    expect(toUpdate(carla, { ...carla, email: " " })).toEqual({ email: null });
    expect(toUpdate(carla, { ...carla, name: "" })).toEqual({ name: null });
    expect(toUpdate({ ...carla, email: "" }, { ...carla, email: "" })).toEqual({});
  });
});

describe("what is refused", () => {
  it("as taken is said at its field", () => {
    const taken = conflict("USER_NAME_DUPLICATE");

    expect(userMessage(taken, "username")).toBe("Somebody else has it.");
    expect(userMessage(taken, "email")).toBeUndefined();
    expect(isAtField(taken)).toBe(true);
  });

  it("for another reason is said above", () => {
    expect(isAtField(conflict("LAST_ADMIN"))).toBe(false);
    expect(userMessage(conflict("LAST_ADMIN"), "username")).toBeUndefined();
  });
});

describe("a role", () => {
  it("has a name", () => {
    expect(roleName("admin")).toBe("Admin");
    expect(roleName("api_only")).toBe("API only");
  });
});

describe("a request", () => {
  it("names a user and a session safely", async () => {
    const server = new Server().will(ok({}), ok({}));
    const { users } = new Api({
      token: () => Promise.resolve("first"),
      renew: () => Promise.reject(new Error("not asked for")),
    });

    await users.endSession("a/b", "c?d");
    await users.putGrants("a/b", { cameraIds: ["1"], groupIds: [] });
    expect(server.asked).toMatchObject([
      { method: "DELETE", url: "./api/v1/users/a%2Fb/sessions/c%3Fd" },
      {
        method: "PUT",
        url: "./api/v1/users/a%2Fb/grants",
        body: { cameraIds: ["1"], groupIds: [] },
      },
    ]);
  });
});
