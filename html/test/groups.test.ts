/* Tests for groups/ and sets.ts: what is sent of a form, and of ticks. */

import { describe, expect, it } from "vitest";
import { Api } from "../src/api";
import {
  camerasWords,
  EMPTY,
  groupMessage,
  isTaken,
  toCreate,
  toForm,
  toUpdate,
} from "../src/groups/words";
import type { Refusal } from "../src/outcome";
import { difference, toggled } from "../src/sets";
import type { CameraGroup } from "../src/types";
import { ok, Server } from "./server";

const DOORS: CameraGroup = {
  id: "g1",
  name: "Doors",
  description: "All of them",
  cameraCount: 2,
  createdAt: "2026-01-01T00:00:00.000Z",
  updatedAt: "2026-01-01T00:00:00.000Z",
};

const doors = toForm(DOORS);

const TAKEN: Refusal = {
  kind: "conflict",
  code: "NAME_DUPLICATE",
  message: "x",
  requestId: undefined,
};

describe("a group", () => {
  it("is sent without blanks at the ends", () => {
    expect(toCreate({ ...EMPTY, name: " Doors " })).toEqual({
      name: "Doors",
      description: "",
    });
  });

  it("that changes sends what differs alone", () => {
    expect(toUpdate(doors, { ...doors, name: "Doors " })).toEqual({});
    expect(toUpdate(doors, { ...doors, name: "Gates" })).toEqual({
      name: "Gates",
    });
    expect(toUpdate(doors, { ...doors, description: "" })).toEqual({
      description: "",
    });
  });

  it("with a name that another one has is told so at the field", () => {
    expect(isTaken(TAKEN)).toBe(true);
    expect(groupMessage(TAKEN, "name")).toBe("Another group has it.");
    expect(groupMessage(TAKEN, "description")).toBeUndefined();
    expect(groupMessage(undefined, "name")).toBeUndefined();
  });

  it("says how many cameras it has", () => {
    expect([0, 1, 2].map(camerasWords)).toEqual([
      "0 cameras",
      "1 camera",
      "2 cameras",
    ]);
  });
});

describe("a tick", () => {
  it("is made and taken back, and the old set stays", () => {
    const none = new Set<string>();
    const one = toggled(none, "a");

    expect([...one]).toEqual(["a"]);
    expect(toggled(one, "a").size).toBe(0);
    expect(none.size).toBe(0);
  });

  it("counts when it differs from what was there", () => {
    const before = new Set(["a", "b"]);

    expect(difference(before, new Set(["b", "c"]))).toEqual({
      added: ["c"],
      removed: ["a"],
    });
    expect(difference(before, before)).toEqual({ added: [], removed: [] });
  });
});

describe("a request", () => {
  it("names a group and a camera safely", async () => {
    const server = new Server().will(ok({}), ok({}));
    const { groups } = new Api({
      token: () => Promise.resolve("first"),
      renew: () => Promise.reject(new Error("not asked for")),
    });

    await groups.putCamera("a/b", "c?d");
    await groups.takeCamera("a/b", "c?d");
    expect(server.asked).toMatchObject([
      { method: "PUT", url: "./api/v1/camera-groups/a%2Fb/cameras/c%3Fd" },
      { method: "DELETE", url: "./api/v1/camera-groups/a%2Fb/cameras/c%3Fd" },
    ]);
  });
});
