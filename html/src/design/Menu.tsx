/*
 * A button that opens a short list of things to do.  Arrow keys walk, Escape
 * and a click elsewhere close it.
 */

import {
  type KeyboardEvent,
  type ReactNode,
  useEffect,
  useRef,
  useState,
} from "react";
import { Icon, type IconName } from "./Icon";

interface MenuProps {
  label: string;
  button: ReactNode;
  className?: string;
  children: ReactNode;
}

export function Menu({ label, button, className, children }: MenuProps) {
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const opener = useRef<HTMLButtonElement>(null);

  useEffect(() => {
    if (!open) {
      return;
    }

    items(root.current)[0]?.focus();

    const onPointer = (event: PointerEvent) => {
      if (!root.current?.contains(event.target as Node)) {
        setOpen(false);
      }
    };

    document.addEventListener("pointerdown", onPointer);
    return () => document.removeEventListener("pointerdown", onPointer);
  }, [open]);

  /* what is chosen may open a dialog, which gives the focus back to this */
  const choose = () => {
    setOpen(false);
    opener.current?.focus();
  };

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Escape" && open) {
      setOpen(false);
      opener.current?.focus();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      walk(root.current, event.key === "ArrowDown" ? 1 : -1);
    } else if (event.key === "Tab") {
      setOpen(false);
    }
  };

  return (
    <div className="menu" ref={root} onKeyDown={onKeyDown}>
      <button
        type="button"
        ref={opener}
        className={className ?? "button"}
        data-bare={className === undefined ? "" : undefined}
        aria-label={label}
        aria-haspopup="menu"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        {button}
      </button>
      {open && (
        <div className="menu-list" role="menu" onClick={choose}>
          {children}
        </div>
      )}
    </div>
  );
}

interface ItemProps {
  icon: IconName;
  danger?: boolean;
  onClick?: () => void;
  href?: string;
  children: ReactNode;
}

export function MenuItem(props: ItemProps) {
  const { icon, danger, onClick, href, children } = props;
  const shared = {
    className: "menu-item",
    role: "menuitem",
    tabIndex: -1,
    "data-danger": danger === true ? "" : undefined,
  };
  const contents = (
    <>
      <Icon name={icon} />
      {children}
    </>
  );

  return href !== undefined ? (
    <a {...shared} href={href}>
      {contents}
    </a>
  ) : (
    <button type="button" {...shared} onClick={onClick}>
      {contents}
    </button>
  );
}

function items(root: HTMLElement | null): HTMLElement[] {
  return [...(root?.querySelectorAll<HTMLElement>("[role=menuitem]") ?? [])];
}

function walk(root: HTMLElement | null, step: number): void {
  const all = items(root);
  const at = all.indexOf(document.activeElement as HTMLElement);

  all[(at + step + all.length) % all.length]?.focus();
}
