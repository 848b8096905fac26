/* What the REST API has about groups of cameras. */

import type { Outcome } from "../outcome";
import { type Call, json, nothing, type Reader } from "../request";
import type {
  CameraGroup,
  CameraGroupCreate,
  CameraGroupDetail,
  CameraGroupUpdate,
} from "../types";

type Ask = <T>(call: Call, read: Reader<T>) => Promise<Outcome<T>>;

const PAGE_SIZE = 50;
const ALL = 200; // the most that one answer has

export class GroupsApi {
  constructor(private readonly ask: Ask) {}

  list(
    q: string,
    cursor: string | undefined,
    signal?: AbortSignal,
  ): Promise<Outcome<CameraGroup[]>> {
    return this.ask(
      {
        method: "GET",
        path: "/camera-groups",
        query: { q, limit: PAGE_SIZE, cursor },
        signal,
      },
      json<CameraGroup[]>,
    );
  }

  /* to choose from */
  all(signal?: AbortSignal): Promise<Outcome<CameraGroup[]>> {
    return this.ask(
      { method: "GET", path: "/camera-groups", query: { limit: ALL }, signal },
      json<CameraGroup[]>,
    );
  }

  one(id: string, signal?: AbortSignal): Promise<Outcome<CameraGroupDetail>> {
    return this.ask(
      { method: "GET", path: groupPath(id), signal },
      json<CameraGroupDetail>,
    );
  }

  create(body: CameraGroupCreate, key: string): Promise<Outcome<CameraGroup>> {
    return this.ask(
      {
        method: "POST",
        path: "/camera-groups",
        headers: { "Idempotency-Key": key },
        body,
      },
      json<CameraGroup>,
    );
  }

  update(id: string, body: CameraGroupUpdate): Promise<Outcome<CameraGroup>> {
    return this.ask(
      { method: "PATCH", path: groupPath(id), body },
      json<CameraGroup>,
    );
  }

  remove(id: string): Promise<Outcome<void>> {
    return this.ask({ method: "DELETE", path: groupPath(id) }, nothing);
  }

  putCamera(id: string, camera: string): Promise<Outcome<void>> {
    return this.ask({ method: "PUT", path: cameraPath(id, camera) }, nothing);
  }

  takeCamera(id: string, camera: string): Promise<Outcome<void>> {
    return this.ask({ method: "DELETE", path: cameraPath(id, camera) }, nothing);
  }
}

function groupPath(id: string, rest = ""): string {
  return `/camera-groups/${encodeURIComponent(id)}${rest}`;
}

function cameraPath(id: string, camera: string): string {
  return groupPath(id, `/cameras/${encodeURIComponent(camera)}`);
}
