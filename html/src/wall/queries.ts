/* What the wall asks for: layouts, and which cameras are online. */

import { useQuery, useQueryClient } from "@tanstack/react-query";
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

/* what was just saved is there before it is asked for again */
export function useKeepLayout() {
  const client = useQueryClient();
  const change = (next: (list: Layout[]) => Layout[]) =>
    client.setQueryData<Layout[]>([LAYOUTS], (list) => next(list ?? []));

  return {
    put: (layout: Layout) => change((list) => withLayout(list, layout)),
    drop: (id: string) =>
      change((list) => list.filter((one) => one.id !== id)),
  };
}

/* one of them opens first, at most */
export function withLayout(list: readonly Layout[], layout: Layout): Layout[] {
  const others = list.map((one) =>
    one.id === layout.id
      ? layout
      : { ...one, isDefault: one.isDefault && !layout.isDefault },
  );

  return others.includes(layout) ? others : [...others, layout];
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
