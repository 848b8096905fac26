/* Tests for what a person writes and what is sent of it. */

import { describe, expect, it } from "vitest";
import {
  changes,
  EMPTY,
  missing,
  rebase,
  shown,
  toCreate,
  toForm,
  toUpdate,
} from "../src/camera/form";
import { fieldMessage, otherMessages } from "../src/messages";
import type { Refusal } from "../src/outcome";
import type { Camera } from "../src/types";

const GATE: Camera = {
  id: "4f0e",
  externalId: null,
  name: "Gate",
  company: "Axis",
  model: "P3265",
  serialNumber: "A1",
  location: "Depot",
  place: "Street",
  rtmpUrl: null,
  isActive: true,
  isRecording: false,
  streamStatus: "offline",
  assignedNode: null,
  allowedCidrs: ["192.0.2.0/24", "2001:db8::/32"],
  cutAtExpiry: false,
  retentionDays: null,
  retentionBytes: null,
  recordingEncrypted: false,
  tags: [],
  createdAt: "2026-01-01T00:00:00.000Z",
  updatedAt: "2026-01-01T00:00:00.000Z",
};

const gate = toForm(GATE);

describe("a new camera", () => {
  it("has every field that it needs", () => {
    expect(missing(EMPTY).map(({ field }) => field)).toEqual([
      "name",
      "location",
      "place",
      "company",
      "model",
      "serialNumber",
    ]);
    expect(missing(gate)).toEqual([]);
    expect(missing({ ...gate, name: "  " })).toHaveLength(1);
  });

  it("is sent without blanks at the ends and without what was left empty", () => {
    expect(
      toCreate({ ...gate, name: " Gate ", externalId: " ", allowedCidrs: "\n" }),
    ).toEqual({
      name: "Gate",
      company: "Axis",
      model: "P3265",
      serialNumber: "A1",
      location: "Depot",
      place: "Street",
      isActive: true,
      cutAtExpiry: false,
    });
  });

  it("takes networks however they are separated", () => {
    expect(
      toCreate({ ...gate, allowedCidrs: "192.0.2.1, ::1\n10.0.0.0/8;" }),
    ).toMatchObject({ allowedCidrs: ["192.0.2.1", "::1", "10.0.0.0/8"] });
  });

  it("has tags, with anything between them", () => {
    expect(toForm({ ...GATE, tags: ["north", "gate"] }).tags).toBe("north gate");
    expect(toCreate({ ...gate, tags: " north, gate " })).toMatchObject({
      tags: ["north", "gate"],
    });
    expect(toCreate(gate)).not.toHaveProperty("tags");
    expect(toUpdate({ ...gate, tags: "north" }, gate)).toEqual({ tags: [] });
  });
});

describe("a change", () => {
  it("sends what differs, and nothing when nothing does", () => {
    expect(toUpdate(gate, { ...gate, name: "Gate " })).toBeUndefined();
    expect(toUpdate(gate, { ...gate, place: "Yard", isActive: false })).toEqual({
      place: "Yard",
      isActive: false,
    });
  });

  it("leaves alone what was empty before", () => {
    const before = { ...EMPTY, name: "Gate" };

    expect(missing({ ...before, name: "North gate" }, before)).toEqual([]);
    expect(missing({ ...before, name: " " }, before)).toEqual([
      { field: "name", message: "is required" },
    ]);
  });

  it("can empty what may be empty", () => {
    const before = { ...gate, externalId: "g-1" };

    expect(
      toUpdate(before, { ...before, externalId: "", allowedCidrs: "" }),
    ).toEqual({ externalId: null, allowedCidrs: [] });
  });

  it("goes on top of somebody else's", () => {
    const mine = { ...gate, place: "Yard", name: "North gate" };
    const theirs = { ...gate, place: "Roof", model: "Q1" };
    const both = rebase(gate, mine, theirs);

    expect(both).toEqual({ ...gate, place: "Yard", name: "North gate", model: "Q1" });
    expect(changes(theirs, both)).toEqual(["name", "place"]);
  });

  it("is shown in words", () => {
    expect(shown(true)).toBe("yes");
    expect(shown("")).toBe("nothing");
    expect(shown(gate.allowedCidrs)).toBe("192.0.2.0/24, 2001:db8::/32");
  });
});

describe("a message", () => {
  const refusal: Refusal = {
    kind: "invalid",
    fields: [
      { field: "name", message: "is required" },
      { field: "allowedCidrs[1]", message: "is no network" },
      { field: "allowedCidrs.2", message: "is no network" },
      { field: "colour", message: "is not known" },
    ],
    code: "VALIDATION_FAILED",
    message: "The request is not valid.",
    requestId: undefined,
  };

  it("stands at its field, as a sentence", () => {
    expect(fieldMessage(refusal, "name")).toBe("Is required.");
    expect(fieldMessage(refusal, "allowedCidrs")).toBe("Is no network.");
    expect(fieldMessage(refusal, "place")).toBeUndefined();
    expect(fieldMessage(undefined, "name")).toBeUndefined();
  });

  it("about no field of the form is not lost", () => {
    expect(otherMessages(refusal, ["name", "allowedCidrs"])).toEqual([
      "colour is not known",
    ]);
  });
});
