/*
 * A button that opens something beside itself.  Escape, a click elsewhere and
 * the focus going elsewhere close it.
 */

import {
  type KeyboardEvent,
  type ReactNode,
  useEffect,
  useRef,
  useState,
} from "react";

interface PopoverProps {
  label: string;
  button: ReactNode;
  buttonLabel?: string; // when the button's contents do not say it
  className?: string;
  align?: "start" | "end";
  children: (close: () => void) => ReactNode;
}

export function Popover(props: PopoverProps) {
  const { label, button, buttonLabel, className, align, children } = props;
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const opener = useRef<HTMLButtonElement>(null);
  const panel = useRef<HTMLDivElement>(null);

  useEffect(() => {
    if (!open) {
      return;
    }

    panel.current?.focus();

    const onPointer = (event: PointerEvent) => {
      if (!root.current?.contains(event.target as Node)) {
        setOpen(false);
      }
    };

    document.addEventListener("pointerdown", onPointer);
    return () => document.removeEventListener("pointerdown", onPointer);
  }, [open]);

  const close = () => {
    setOpen(false);
    opener.current?.focus();
  };

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Escape" && open) {
      event.stopPropagation();
      close();
    }
  };

  return (
    <div className="popover" ref={root} onKeyDown={onKeyDown}>
      <button
        type="button"
        ref={opener}
        className={className ?? "button"}
        aria-label={buttonLabel}
        aria-haspopup="dialog"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        {button}
      </button>
      {open && (
        <div
          className="popover-panel"
          ref={panel}
          data-align={align ?? "start"}
          role="dialog"
          aria-label={label}
          tabIndex={-1}
        >
          {children(close)}
        </div>
      )}
    </div>
  );
}
