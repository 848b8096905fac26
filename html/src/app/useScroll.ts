/*
 * How far each entry of the history was scrolled.  The browser's own memory
 * comes too early: the screen it is for is not there yet.
 */

import { useLayoutEffect } from "react";

const scrolled = new Map<number, number>();

export function useScroll(place: string): void {
  useLayoutEffect(() => {
    history.scrollRestoration = "manual";

    const entry = entryNumber();

    window.scrollTo(0, scrolled.get(entry) ?? 0);

    const onScroll = () => scrolled.set(entry, window.scrollY);

    window.addEventListener("scroll", onScroll, { passive: true });
    return () => window.removeEventListener("scroll", onScroll);
  }, [place]);
}

/* an entry without a number is new */
function entryNumber(): number {
  const state = history.state as { entry?: number } | null;

  if (state?.entry !== undefined) {
    return state.entry;
  }

  const entry = Date.now();

  history.replaceState({ entry }, "");
  return entry;
}
