/*
 * Follows events while somebody looks.  A tab in the background lets go of its
 * connection after a while, of which a browser has six for one server, and
 * takes it up from the last event when it is looked at again.
 */

import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useEffect, useState } from "react";
import { EventFeed, type FeedState } from "../events";
import { Realtime } from "../realtime";
import { CurrentFeed, useServices } from "./services";

const HIDDEN_MS = 30_000;

export function Follow({ children }: { children: ReactNode }) {
  const { api } = useServices();
  const client = useQueryClient();
  const [state, setState] = useState<FeedState>("closed");

  useEffect(() => {
    const realtime = new Realtime(client);
    const feed = new EventFeed(
      (lastId, signal) => api.events(lastId, signal),
      realtime.apply,
      setState,
    );
    let timer: ReturnType<typeof setTimeout> | undefined;

    const look = () => {
      clearTimeout(timer);

      if (document.visibilityState === "visible") {
        feed.start();
      } else {
        timer = setTimeout(() => feed.close(), HIDDEN_MS);
      }
    };

    look();
    document.addEventListener("visibilitychange", look);

    return () => {
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", look);
      feed.close();
      realtime.close();
    };
  }, [api, client]);

  return <CurrentFeed.Provider value={state}>{children}</CurrentFeed.Provider>;
}
