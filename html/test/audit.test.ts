/* Tests for audit/words.ts: what an entry says of what was changed. */

import { describe, expect, it } from "vitest";
import { changes, details, objectWords } from "../src/audit/words";
import type { AuditLogEntry } from "../src/types";

const ENTRY: AuditLogEntry = {
  id: 1,
  at: "2026-01-01T12:00:00.000Z",
  userId: null,
  actor: "anna",
  credentialType: "session",
  credentialId: null,
  requestId: null,
  address: null,
  action: "camera.update",
  objectType: "camera",
  objectId: "4f0e",
  objectName: null,
  cameraId: null,
  result: "ok",
  code: null,
  old: null,
  new: null,
  details: null,
  lastAt: "2026-01-01T12:00:00.000Z",
  count: 1,
};

describe("an entry", () => {
  it("says what was there before and after", () => {
    expect(
      changes({
        ...ENTRY,
        old: { place: "", is_active: true },
        new: { place: "hall", is_active: false },
      }),
    ).toEqual([
      { name: "is_active", from: "true", to: "false" },
      { name: "place", from: "–", to: "hall" },
    ]);
  });

  it("has nothing before what is new, and after what is gone", () => {
    expect(changes({ ...ENTRY, new: { name: "a" } })).toEqual([
      { name: "name", from: undefined, to: "a" },
    ]);
    expect(changes({ ...ENTRY, old: { name: "a" } })).toEqual([
      { name: "name", from: "a", to: undefined },
    ]);
    expect(changes(ENTRY)).toEqual([]);
  });

  it("names its object, or what kind it is of", () => {
    expect(objectWords({ ...ENTRY, objectName: "Gate" })).toBe("Gate");
    expect(objectWords(ENTRY)).toBe("4f0e");
    expect(objectWords({ ...ENTRY, objectId: null })).toBe("camera");
  });

  it("says what else there is", () => {
    expect(details(ENTRY)).toBe("");
    expect(details({ ...ENTRY, details: { generation: 2, why: "x" } })).toBe(
      "generation 2, why x",
    );
  });
});
