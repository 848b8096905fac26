/*
 * Brings what the server reports into what the screens have asked for.  A new
 * status, or how far an export is, is written in place; anything else is asked
 * for anew, once for a whole flock of events.
 */

import type { QueryClient } from "@tanstack/react-query";
import type { ServerEvent } from "./events";
import type { Success } from "./outcome";
import { type CameraList, keys } from "./queries";
import { keys as recordingKeys } from "./recordings/queries";
import type { Camera, CameraEvent, Export, StreamStatus } from "./types";
import { STATUSES } from "./router";

const GATHER_MS = 300;

export class Realtime {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly oldCameras = new Set<string>();
  private readonly oldRecordings = new Set<string>();
  private oldAlerts = false;

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

    switch (event.type.split(".", 1)[0]) {
      case "stream":
        this.setStatus(body.cameraId, body.status);
        break;
      case "camera":
        this.oldCameras.add(body.cameraId);
        break;
      case "recording":
        this.oldRecordings.add(body.cameraId);
        break;
      case "alert":
        this.oldAlerts = true;
        break;
      case "export":
        this.setProgress(body.cameraId, body.data);
        return;
      default:
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

  /* an export that is not in the list yet, or is finished, is asked for */
  private setProgress(cameraId: string, data: Record<string, unknown>): void {
    const queryKey = recordingKeys.exports(cameraId);
    const list = this.client.getQueryData<Export[]>(queryKey);
    const { exportId, progress, state } = data;

    if (
      state !== "running" ||
      typeof progress !== "number" ||
      list?.some(({ id }) => id === exportId) !== true
    ) {
      void this.client.invalidateQueries({ queryKey });
      return;
    }

    this.client.setQueryData<Export[]>(
      queryKey,
      list.map((one) =>
        one.id === exportId ? { ...one, state, progress } : one,
      ),
    );
  }

  private gather(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.refetch();
    }, GATHER_MS);
  }

  private refetch(): void {
    const changed = this.oldCameras.size > 0;

    this.refetchRecordings();

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

  private refetchRecordings(): void {
    for (const id of this.oldRecordings) {
      for (const queryKey of [
        recordingKeys.timelines(id),
        recordingKeys.allFiles(id),
        keys.stream(id),
      ]) {
        void this.client.invalidateQueries({ queryKey });
      }
    }

    if (this.oldAlerts) {
      void this.client.invalidateQueries({ queryKey: recordingKeys.alerts });
    }

    this.oldRecordings.clear();
    this.oldAlerts = false;
  }
}

interface Reported {
  cameraId: string;
  data: Record<string, unknown>;
  status: StreamStatus | undefined;
}

function read(text: string): Reported | undefined {
  try {
    const event = JSON.parse(text) as CameraEvent;
    const data = event.data as Record<string, unknown>;
    const { streamStatus } = data;

    return {
      cameraId: event.cameraId ?? "",
      data,
      status: STATUSES.find((one) => one === streamStatus),
    };
  } catch {
    return undefined;
  }
}
