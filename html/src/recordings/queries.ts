/* What the screens ask for about recordings; see ../queries.ts. */

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useFeedState, useServices } from "../app/services";
import { unwrap } from "../outcome";
import { afterRefusal } from "../queries";
import type { Export } from "../types";
import type { Span } from "./view";

export const keys = {
  timelines: (cameraId: string) => ["timeline", cameraId] as const,
  timeline: (cameraId: string, span: Span) =>
    ["timeline", cameraId, span.from, span.to] as const,
  coverage: (cameraId: string, span: Span) =>
    ["coverage", cameraId, span.from] as const,
  files: (cameraId: string, span: Span) =>
    ["files", cameraId, span.from] as const,
  allFiles: (cameraId: string) => ["files", cameraId] as const,
  schedule: (cameraId: string) => ["schedule", cameraId] as const,
  allExports: ["exports"] as const,
  exports: (cameraId: string) => ["exports", cameraId] as const,
  alerts: ["alerts"] as const,
  storage: ["storage"] as const,
};

const SOON_MS = 15_000; // a gap, the end of a file
const SELDOM_MS = 60_000;
const PROGRESS_MS = 1000; // without events

export function useTimeline(cameraId: string, span: Span, grows: boolean) {
  const { api } = useServices();

  return useQuery({
    queryKey: keys.timeline(cameraId, span),
    queryFn: async ({ signal }) =>
      unwrap(await api.recordings.timeline(cameraId, span, signal)).value,
    refetchInterval: ({ state }) =>
      afterRefusal(state) ?? (grows ? SOON_MS : SELDOM_MS),
  });
}

export function useCoverage(cameraId: string, month: Span) {
  const { api } = useServices();

  return useQuery({
    queryKey: keys.coverage(cameraId, month),
    staleTime: SELDOM_MS,
    queryFn: async ({ signal }) =>
      unwrap(await api.recordings.coverage(cameraId, month, signal)).value,
  });
}

export function useFiles(cameraId: string, day: Span) {
  const { api } = useServices();

  return useQuery({
    queryKey: keys.files(cameraId, day),
    placeholderData: keepPreviousData,
    queryFn: async ({ signal }) =>
      unwrap(await api.recordings.files(cameraId, day, signal)).value,
    refetchInterval: ({ state }) => afterRefusal(state) ?? SELDOM_MS,
  });
}

export function useSchedule(cameraId: string) {
  const { api } = useServices();

  return useQuery({
    queryKey: keys.schedule(cameraId),
    refetchOnWindowFocus: false,
    queryFn: async ({ signal }) =>
      unwrap(await api.recordings.schedule(cameraId, signal)).value,
  });
}

export function useExports(cameraId: string) {
  const { api } = useServices();
  const followed = useFeedState() === "open";

  return useQuery({
    queryKey: keys.exports(cameraId),
    queryFn: async ({ signal }) =>
      unwrap(await api.recordings.exports(cameraId, signal)).value,
    refetchInterval: ({ state }) =>
      afterRefusal(state) ??
      (state.data?.some(isRunning) === true && !followed
        ? PROGRESS_MS
        : SELDOM_MS),
  });
}

export function isRunning(one: Export): boolean {
  return one.state === "queued" || one.state === "running";
}

/* those that nobody has taken note of */
export function useAlerts(enabled: boolean) {
  const { api } = useServices();

  return useQuery({
    queryKey: keys.alerts,
    enabled,
    queryFn: async ({ signal }) =>
      unwrap(await api.recordings.alerts({ acknowledged: false }, signal)).value,
    refetchInterval: ({ state }) => afterRefusal(state) ?? SELDOM_MS,
  });
}

export function useStorage() {
  const { api } = useServices();

  return useQuery({
    queryKey: keys.storage,
    queryFn: async ({ signal }) =>
      unwrap(await api.recordings.storage(signal)).value,
    refetchInterval: ({ state }) => afterRefusal(state) ?? SELDOM_MS,
  });
}
