/*
 * Where in the page one is.  It stands in the fragment, like the address of
 * the watch page: nginx serves files and needs no rule for made-up paths, and
 * what somebody searches for is in no access log.
 *
 *     #/cameras?q=door&status=online&tag=north
 *     #/cameras/{id}      #/cameras/{id}/connect      #/add      #/storage
 *     #/audit     #/users?q=carla     #/groups?q=doors     #/tokens
 *     #/wall      #/wall/{layout}     #/wall/auto     #/wall/new
 */

import { useSyncExternalStore } from "react";
import type { StreamStatus } from "./types";

interface CameraList {
  kind: "cameras";
  q: string;
  status: StreamStatus | undefined;
  tag: string | undefined;
}

export type Route =
  | CameraList
  | { kind: "camera"; id: string }
  | { kind: "connect"; id: string }
  | { kind: "add" }
  | { kind: "storage" }
  | { kind: "audit" }
  | { kind: "users"; q: string }
  | { kind: "groups"; q: string }
  | { kind: "tokens" }
  | { kind: "wall"; id: string | undefined } // of a layout, AUTO or NEW
  | { kind: "unknown" };

export const HOME: CameraList = {
  kind: "cameras",
  q: "",
  status: undefined,
  tag: undefined,
};

/* the wall of all that is online, whichever layouts there are */
export const AUTO = "auto";
export const NEW = "new"; // a layout that is being made

export const STATUSES: readonly StreamStatus[] = [
  "online",
  "connecting",
  "offline",
  "error",
];

export function parse(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#?\/?/, "").split("?", 2);
  const [first = "", id, last, ...more] = path.split("/").map(decode);

  if (more.length > 0) {
    return { kind: "unknown" };
  }

  if (first === "" && id === undefined) {
    return HOME;
  }

  if (
    (first === "add" ||
      first === "storage" ||
      first === "audit" ||
      first === "tokens") &&
    id === undefined
  ) {
    return { kind: first };
  }

  if ((first === "users" || first === "groups") && id === undefined) {
    return { kind: first, q: new URLSearchParams(query).get("q") ?? "" };
  }

  if (first === "wall" && last === undefined) {
    return { kind: "wall", id: id || undefined };
  }

  if (first !== "cameras") {
    return { kind: "unknown" };
  }

  if (id === undefined || id === "") {
    return list(new URLSearchParams(query));
  }

  switch (last) {
    case undefined:
      return { kind: "camera", id };
    case "connect":
      return { kind: "connect", id };
    default:
      return { kind: "unknown" };
  }
}

export function href(route: Route): string {
  switch (route.kind) {
    case "cameras": {
      const query = new URLSearchParams();

      if (route.q !== "") {
        query.set("q", route.q);
      }

      if (route.status !== undefined) {
        query.set("status", route.status);
      }

      if (route.tag !== undefined) {
        query.set("tag", route.tag);
      }

      const text = query.toString();

      return text === "" ? "#/cameras" : `#/cameras?${text}`;
    }

    case "camera":
      return `#/cameras/${encodeURIComponent(route.id)}`;
    case "connect":
      return `#/cameras/${encodeURIComponent(route.id)}/connect`;
    case "add":
      return "#/add";
    case "storage":
      return "#/storage";
    case "audit":
      return "#/audit";
    case "tokens":
      return "#/tokens";
    case "wall":
      return route.id === undefined
        ? "#/wall"
        : `#/wall/${encodeURIComponent(route.id)}`;
    case "users":
    case "groups":
      return route.q === ""
        ? `#/${route.kind}`
        : `#/${route.kind}?${new URLSearchParams({ q: route.q }).toString()}`;
    case "unknown":
      return "#/";
  }
}

/* typing into a search field must not fill the history: `replace` */
export function go(route: Route, how: "push" | "replace" = "push"): void {
  const target = href(route);

  if (target === location.hash) {
    return;
  }

  if (how === "push") {
    history.pushState(null, "", target);
  } else {
    history.replaceState(history.state, "", target);
  }

  window.dispatchEvent(new Event("hashchange"));
}

export function useRoute(): Route {
  const hash = useSyncExternalStore(subscribe, () => location.hash);

  return parse(hash);
}

function subscribe(listener: () => void): () => void {
  window.addEventListener("hashchange", listener);
  window.addEventListener("popstate", listener);

  return () => {
    window.removeEventListener("hashchange", listener);
    window.removeEventListener("popstate", listener);
  };
}

function list(query: URLSearchParams): Route {
  const status = query.get("status");

  return {
    kind: "cameras",
    q: query.get("q") ?? "",
    status: STATUSES.find((one) => one === status),
    tag: query.get("tag") || undefined,
  };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
