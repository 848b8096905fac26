/* How wide an element is, in pixels, as it changes. */

import { type RefObject, useLayoutEffect, useState } from "react";

export function useWidth(ref: RefObject<Element | null>): number {
  const [width, setWidth] = useState(0);

  useLayoutEffect(() => {
    const element = ref.current;

    if (element === null) {
      return;
    }

    setWidth(element.getBoundingClientRect().width);

    const observer = new ResizeObserver(() =>
      setWidth(element.getBoundingClientRect().width),
    );

    observer.observe(element);
    return () => observer.disconnect();
  }, [ref]);

  return width;
}
