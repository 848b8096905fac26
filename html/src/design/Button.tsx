/* A button, and a link that looks like one. */

import type { AnchorHTMLAttributes, ButtonHTMLAttributes } from "react";
import { Icon, type IconName } from "./Icon";

interface Look {
  look?: "primary" | "danger" | "quiet";
  icon?: IconName;
  small?: boolean;
  wide?: boolean;
}

type ButtonProps = Look &
  ButtonHTMLAttributes<HTMLButtonElement> & { busy?: boolean };

type LinkProps = Look & AnchorHTMLAttributes<HTMLAnchorElement>;

/* an attribute that is there or not */
const flag = (on: boolean | undefined) => (on === true ? "" : undefined);

export function Button(props: ButtonProps) {
  const { look, icon, small, wide, busy, children, ...rest } = props;

  return (
    <button
      type="button"
      {...rest}
      className="button"
      data-look={look}
      data-small={flag(small)}
      data-wide={flag(wide)}
      data-bare={flag(children === undefined)}
      disabled={rest.disabled === true || busy === true}
      aria-busy={busy}
    >
      {busy === true ? (
        <span className="spinner" />
      ) : (
        icon !== undefined && <Icon name={icon} size={small ? 16 : 18} />
      )}
      {children}
    </button>
  );
}

export function ButtonLink(props: LinkProps) {
  const { look, icon, small, wide, children, ...rest } = props;

  return (
    <a
      {...rest}
      className="button"
      data-look={look}
      data-small={flag(small)}
      data-wide={flag(wide)}
      data-bare={flag(children === undefined)}
    >
      {icon !== undefined && <Icon name={icon} size={small ? 16 : 18} />}
      {children}
    </a>
  );
}
