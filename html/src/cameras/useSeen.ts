/* Whether an element is on the screen, or nearly, and the tab is looked at. */

import { type RefObject, useEffect, useState } from "react";

const NEARLY = "240px";

export function useSeen(ref: RefObject<Element | null>): boolean {
  const [near, setNear] = useState(false);
  const [visible, setVisible] = useState(
    document.visibilityState === "visible",
  );

  useEffect(() => {
    const element = ref.current;

    if (element === null) {
      return;
    }

    const observer = new IntersectionObserver(
      (entries) => setNear(entries.some((entry) => entry.isIntersecting)),
      { rootMargin: NEARLY },
    );

    observer.observe(element);
    return () => observer.disconnect();
  }, [ref]);

  useEffect(() => {
    const look = () => setVisible(document.visibilityState === "visible");

    document.addEventListener("visibilitychange", look);
    return () => document.removeEventListener("visibilitychange", look);
  }, []);

  return near && visible;
}
