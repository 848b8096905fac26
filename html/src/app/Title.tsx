/*
 * The heading of a screen.  It names the tab, and takes the focus when one has
 * come from another screen, so that a reader says where one is now.
 */

import { useEffect, useRef } from "react";

interface TitleProps {
  text: string;
  focus?: boolean; // not where a field takes it
}

let isFirst = true;

export function Title({ text, focus }: TitleProps) {
  const ref = useRef<HTMLHeadingElement>(null);

  useEffect(() => {
    document.title = text;
  }, [text]);

  useEffect(() => {
    if (!isFirst && focus !== false) {
      ref.current?.focus({ preventScroll: true });
    }

    isFirst = false;
  }, [focus]);

  return (
    <h1 ref={ref} tabIndex={-1}>
      {text}
    </h1>
  );
}
