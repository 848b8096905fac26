/*
 * What the screens ask for, kept by TanStack Query.  Events keep it current
 * (realtime.ts); while none come, it is asked for again every few seconds, and
 * what failed for want of a server is asked for again when that said so.
 */

import {
  type InfiniteData,
  keepPreviousData,
  useInfiniteQuery,
  useQuery,
} from "@tanstack/react-query";
import type { CameraFilter } from "./api";
import { useFeedState, useServices } from "./app/services";
import { refusalOf, type Success, unwrap } from "./outcome";
import type { Camera, StreamState } from "./types";

export interface CameraPage {
  cameras: Camera[];
  cursor: string | undefined;
}

export type CameraList = InfiniteData<CameraPage, string | undefined>;

export const keys = {
  lists: ["cameras"] as const,
  list: (filter: CameraFilter) => ["cameras", filter] as const,
  allCameras: ["camera"] as const,
  camera: (id: string) => ["camera", id] as const,
  address: (id: string) => ["address", id] as const,
  stream: (id: string) => ["stream", id] as const,
};

const FOLLOWED_MS = 60_000; // events say what changes
const POLLED_MS = 5000; // they do not come
const STATE_MS = 2000; // the state of one stream, while somebody looks at it

export function useCameras(filter: CameraFilter) {
  const { api } = useServices();
  const followed = useFeedState() === "open";

  return useInfiniteQuery({
    queryKey: keys.list(filter),
    initialPageParam: undefined as string | undefined,
    queryFn: async ({ pageParam, signal }): Promise<CameraPage> => {
      const page = unwrap(await api.cameras(filter, pageParam, signal));

      return { cameras: page.value, cursor: page.cursor };
    },
    getNextPageParam: (page) => page.cursor,
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) =>
      afterRefusal(state) ??
      (followed ? FOLLOWED_MS : POLLED_MS * (state.data?.pages.length ?? 1)),
  });
}

export function useCamera(id: string) {
  const { api } = useServices();
  const followed = useFeedState() === "open";

  return useQuery({
    queryKey: keys.camera(id),
    queryFn: async ({ signal }): Promise<Success<Camera>> =>
      unwrap(await api.camera(id, signal)),
    refetchInterval: (query) =>
      afterRefusal(query.state) ?? (followed ? FOLLOWED_MS : POLLED_MS),
  });
}

/*
 * Where a camera pushes to.  Every answer carries a fresh token; the one that
 * is shown stays, or it would change while it is typed into a camera.
 */
export function useAddress(id: string) {
  const { api } = useServices();

  return useQuery({
    queryKey: keys.address(id),
    staleTime: Infinity,
    refetchOnWindowFocus: false,
    queryFn: async ({ signal }): Promise<string | null> =>
      unwrap(await api.camera(id, signal)).value.rtmpUrl,
    refetchInterval: (query) => afterRefusal(query.state) ?? false,
  });
}

export function useStreamState(id: string) {
  const { api } = useServices();

  return useQuery({
    queryKey: keys.stream(id),
    queryFn: async ({ signal }): Promise<StreamState> =>
      unwrap(await api.streamState(id, signal)).value,
    refetchInterval: (query) => afterRefusal(query.state) ?? STATE_MS,
  });
}

/* when to ask again after a refusal; never when it is the last word */
export function afterRefusal(state: {
  status: string;
  error: Error | null;
}): number | false | undefined {
  if (state.status !== "error") {
    return undefined;
  }

  const refusal = refusalOf(state.error);

  switch (refusal.kind) {
    case "away":
    case "busy":
      return refusal.seconds * 1000;
    case "denied":
    case "missing":
      return false;
    default:
      return FOLLOWED_MS;
  }
}
