/*
 * Brings what the server reports into what the screens have asked for.  A new
 * status is written in place; anything else is asked for anew, once for a
 * whole flock of events.
 */

import type { QueryClient } from "@tanstack/react-query";
import type { ServerEvent } from "./events";
import type { Success } from "./outcome";
import { type CameraList, keys } from "./queries";
import type { Camera, CameraEvent, StreamStatus } from "./types";
import { STATUSES } from "./router";

const GATHER_MS = 300;

export class Realtime {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly oldCameras = new Set<string>();

  constructor(private readonly client: QueryClient) {}

  readonly apply = (event: ServerEvent): void => {
    if (event.type === "reset") {
      void this.client.invalidateQueries();
      return;
    }

    const body = read(event.data);

    if (body === undefined) {
      return;
    }

    if (event.type === "stream.status") {
      this.setStatus(body.cameraId, body.status);
    } else if (event.type.startsWith("camera.")) {
      this.oldCameras.add(body.cameraId);
    } else {
      return;
    }

    this.gather();
  };

  close(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private setStatus(id: string, status: StreamStatus | undefined): void {
    if (status === undefined) {
      return;
    }

    const change = (camera: Camera): Camera =>
      camera.id === id ? { ...camera, streamStatus: status } : camera;

    this.client.setQueriesData<CameraList>({ queryKey: keys.lists }, (list) =>
      list === undefined
        ? list
        : {
            ...list,
            pages: list.pages.map((page) => ({
              ...page,
              cameras: page.cameras.map(change),
            })),
          },
    );

    this.client.setQueriesData<Success<Camera>>(
      { queryKey: keys.allCameras },
      (one) => (one === undefined ? one : { ...one, value: change(one.value) }),
    );

    void this.client.invalidateQueries({ queryKey: keys.stream(id) });
  }

  private gather(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.refetch();
    }, GATHER_MS);
  }

  private refetch(): void {
    const changed = this.oldCameras.size > 0;

    for (const id of this.oldCameras) {
      void this.client.invalidateQueries({
        queryKey: keys.allCameras,
        predicate: ({ state }) =>
          (state.data as Success<Camera> | undefined)?.value.id === id,
      });
    }

    this.oldCameras.clear();

    /* a list by status gains and loses cameras when one of them changes */
    void this.client.invalidateQueries({
      queryKey: keys.lists,
      predicate: ({ queryKey }) =>
        changed || (queryKey[1] as { status?: string }).status !== undefined,
    });
  }
}

interface Reported {
  cameraId: string;
  status: StreamStatus | undefined;
}

function read(data: string): Reported | undefined {
  try {
    const event = JSON.parse(data) as CameraEvent;
    const { streamStatus } = event.data as { streamStatus?: unknown };

    return {
      cameraId: event.cameraId ?? "",
      status: STATUSES.find((one) => one === streamStatus),
    };
  } catch {
    return undefined;
  }
}
