/* Tests for router.ts: an address and a place in the page are the same. */

import { describe, expect, it } from "vitest";
import { AUTO, HOME, href, NEW, parse, type Route } from "../src/router";

describe("a place", () => {
  const places: [string, Route][] = [
    ["#/cameras", HOME],
    [
      "#/cameras?q=gate+%26+yard%2F2&status=offline",
      { kind: "cameras", q: "gate & yard/2", status: "offline", tag: undefined },
    ],
    ["#/cameras?tag=north+gate", { ...HOME, tag: "north gate" }],
    ["#/cameras/4f0e", { kind: "camera", id: "4f0e" }],
    ["#/cameras/dock%2F7%3F", { kind: "camera", id: "dock/7?" }],
    ["#/cameras/4f0e/connect", { kind: "connect", id: "4f0e" }],
    ["#/add", { kind: "add" }],
    ["#/storage", { kind: "storage" }],
    ["#/audit", { kind: "audit" }],
    ["#/users", { kind: "users", q: "" }],
    ["#/users?q=carla+%26+co", { kind: "users", q: "carla & co" }],
    ["#/groups", { kind: "groups", q: "" }],
    ["#/groups?q=doors", { kind: "groups", q: "doors" }],
    ["#/tokens", { kind: "tokens" }],
    ["#/wall", { kind: "wall", id: undefined }],
    ["#/wall/auto", { kind: "wall", id: AUTO }],
    ["#/wall/new", { kind: "wall", id: NEW }],
    ["#/wall/7c8d", { kind: "wall", id: "7c8d" }],
  ];

  it.each(places)("%s", (address, place) => {
    expect(parse(address)).toEqual(place);
    expect(href(place)).toBe(address);
  });
});

describe("an address", () => {
  it("that is empty is home", () => {
    for (const address of ["", "#", "#/", "/"]) {
      expect(parse(address)).toEqual(HOME);
    }
  });

  it("with an unknown status shows all", () => {
    expect(parse("#/cameras?status=asleep")).toEqual(HOME);
  });

  it("that leads nowhere is said to", () => {
    for (const address of [
      "#/people",
      "#/add/1",
      "#/storage/1",
      "#/users/1",
      "#/groups/1",
      "#/tokens/1",
      "#/wall/1/2",
      "#/cameras/1/edit",
      "#/cameras/1/connect/2",
    ]) {
      expect(parse(address)).toEqual({ kind: "unknown" });
    }
  });

  it("that is malformed breaks nothing", () => {
    expect(parse("#/cameras/%E0%A4%A")).toEqual({
      kind: "camera",
      id: "%E0%A4%A",
    });
  });
});
