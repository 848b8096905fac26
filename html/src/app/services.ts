/* What every screen may ask for. */

import { createContext, useContext, useSyncExternalStore } from "react";
import type { Api } from "../api";
import type { FeedState } from "../events";
import type { Session, SessionState } from "../session";
import { may, type Permission, type User } from "../types";
import type { Reach } from "./reach";

export interface ServicesValue {
  api: Api;
  session: Session;
  reach: Reach;
}

export const Services = createContext<ServicesValue | undefined>(undefined);
export const CurrentUser = createContext<User | undefined>(undefined);
export const CurrentFeed = createContext<FeedState>("closed");

export function useServices(): ServicesValue {
  return required(useContext(Services));
}

export function useUser(): User {
  return required(useContext(CurrentUser));
}

export function useFeedState(): FeedState {
  return useContext(CurrentFeed);
}

/* a control that its user may not use is not shown */
export function useMay(permission: Permission): boolean {
  return may(useUser(), permission);
}

export function useSessionState(): SessionState {
  const { session } = useServices();

  return useSyncExternalStore(
    (listener) => session.subscribe(listener),
    () => session.state,
  );
}

export function useIsAway(): boolean {
  const { reach } = useServices();

  return useSyncExternalStore(reach.subscribe, reach.isAway);
}

function required<T>(value: T | undefined): T {
  if (value === undefined) {
    throw new Error("used outside of its provider");
  }

  return value;
}
