/* What the wall asks for: layouts, and which cameras are online. */

import { useQuery } from "@tanstack/react-query";
import { useRef } from "react";
import { useServices } from "../app/services";
import { unwrap } from "../outcome";
import { afterRefusal, useCameras } from "../queries";
import type { Layout } from "../types";
import { MOST } from "./turns";

export const LAYOUTS = "layouts";

export function useLayouts() {
  const { api } = useServices();

  return useQuery({
    queryKey: [LAYOUTS],
    queryFn: async ({ signal }): Promise<Layout[]> =>
      unwrap(await api.layouts.list(signal)).value,
    refetchInterval: ({ state }) => afterRefusal(state) ?? false,
  });
}

interface Online {
  ids: string[] | undefined; // not known yet
  more: boolean; // are online than have a place
  error: Error | null;
  refetch: () => void;
}

/*
 * Who is online, as many as play at a time.  A camera that was seen once keeps
 * its place while the screen is open: pictures that jump about cannot be
 * watched, and one that goes dark is just what somebody wants to see.
 */
export function useOnline(): Online {
  const query = useCameras({ status: "online" });
  const kept = useRef<string[]>([]);
  const online = query.data?.pages.flatMap((page) => page.cameras);

  for (const { id } of online ?? []) {
    if (kept.current.length < MOST && !kept.current.includes(id)) {
      kept.current.push(id);
    }
  }

  const ids = online === undefined ? undefined : kept.current;

  return {
    ids,
    more: (online ?? []).some(({ id }) => ids?.includes(id) === false),
    error: query.error,
    refetch: () => void query.refetch(),
  };
}
