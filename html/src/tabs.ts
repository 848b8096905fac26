/*
 * What the tabs of one browser share: the session cookie.  So one of them at a
 * time uses it, and what it learns it tells the others.  A lock and a channel
 * of the browser do this; where it has none (plain HTTP from another host), a
 * tab is on its own and the server's ten seconds of grace have to do.
 */

import type { AuthResponse } from "./types";

export type Message =
  | { kind: "token"; auth: AuthResponse; at: number }
  | { kind: "out" };

export interface Tabs {
  /* runs `work` while no other tab runs its own */
  exclusive<T>(work: () => Promise<T>): Promise<T>;

  post(message: Message): void;
  listen(listener: (message: Message) => void): () => void;
}

const NAME = "camera-session";

export function browserTabs(): Tabs {
  const channel =
    "BroadcastChannel" in globalThis ? new BroadcastChannel(NAME) : undefined;

  return {
    exclusive: (work) =>
      "locks" in navigator
        ? (navigator.locks.request(NAME, work) as ReturnType<typeof work>)
        : work(),

    post: (message) => channel?.postMessage(message),

    listen(listener) {
      const onMessage = (event: MessageEvent<Message>) => listener(event.data);

      channel?.addEventListener("message", onMessage);
      return () => channel?.removeEventListener("message", onMessage);
    },
  };
}
