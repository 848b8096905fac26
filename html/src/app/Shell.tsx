/* The frame around every screen: where one is, who one is, is all well. */

import { type ReactNode, useState } from "react";
import { Bell } from "../alerts/Bell";
import { Icon, Mark } from "../design/Icon";
import { Menu, MenuItem } from "../design/Menu";
import { refusalWords } from "../design/Notice";
import { useToast } from "../design/Toasts";
import { HOME, href } from "../router";
import { roleName } from "../users/form";
import { Follow } from "./Follow";
import { PasswordDialog } from "./PasswordDialog";
import {
  useFeedState,
  useIsAway,
  useMay,
  useServices,
  useUser,
} from "./services";
import "./shell.css";

export function Shell({ children }: { children: ReactNode }) {
  return (
    <Follow>
      <a className="skip" href="#content" onClick={skip}>
        Skip to content
      </a>
      <header className="top">
        <div className="top-inner">
          <a className="brand" href={href(HOME)}>
            <Mark />
            <span>Camera platform</span>
          </a>
          <State />
          <Bell />
          <UserMenu />
        </div>
      </header>
      <AwayBar />
      <main className="content" id="content" tabIndex={-1}>
        {children}
      </main>
    </Follow>
  );
}

/* the fragment is the router's */
function skip(event: { preventDefault(): void }): void {
  event.preventDefault();
  document.getElementById("content")?.focus();
}

function State() {
  const feed = useFeedState();
  const away = useIsAway();
  const reads = useMay("cameras:read");
  const live = feed === "open" && !away;

  if (!reads) {
    return <span className="top-space" />;
  }

  return (
    <span className="top-state" data-live={live} role="status">
      <i aria-hidden="true" />
      <span>{live ? "Up to date" : "Reconnecting"}</span>
    </span>
  );
}

function AwayBar() {
  const away = useIsAway();

  return (
    <div role="alert">
      {away && (
        <p className="away-bar">
          <Icon name="plug" />
          The server cannot be reached. What you see may be old; it is asked
          again by itself.
        </p>
      )}
    </div>
  );
}

function UserMenu() {
  const { session } = useServices();
  const user = useUser();
  const say = useToast();
  const mayWatch = useMay("streams:view");
  const mayStorage = useMay("analytics:read");
  const mayAudit = useMay("audit:read");
  const mayUsers = useMay("users:manage");
  const mayTokens = useMay("tokens:manage");
  const [password, setPassword] = useState(false);

  const leave = async () => {
    const outcome = await session.logout();

    if (outcome.kind !== "ok" && outcome.kind !== "signed-out") {
      say(`You are still signed in. ${refusalWords(outcome).title}.`, "bad");
    }
  };

  return (
    <>
      <Menu
        label={`${user.username}, account`}
        className="who"
        button={
          <>
            <span className="avatar" aria-hidden="true">
              {user.username.slice(0, 1)}
            </span>
            <span className="who-name">{user.username}</span>
            <Icon name="down" size={15} />
          </>
        }
      >
        <div className="menu-head">
          <strong>{user.username}</strong>
          <span>{user.email ?? roleName(user.role)}</span>
        </div>
        <hr className="menu-line" />
        {mayWatch && (
          <MenuItem icon="grid" href={href({ kind: "wall", id: undefined })}>
            Wall
          </MenuItem>
        )}
        {mayStorage && (
          <MenuItem icon="disk" href={href({ kind: "storage" })}>
            Storage
          </MenuItem>
        )}
        {mayAudit && (
          <MenuItem icon="eye" href={href({ kind: "audit" })}>
            Audit
          </MenuItem>
        )}
        {mayUsers && (
          <>
            <MenuItem icon="user" href={href({ kind: "users", q: "" })}>
              Users
            </MenuItem>
            <MenuItem icon="stack" href={href({ kind: "groups", q: "" })}>
              Camera groups
            </MenuItem>
          </>
        )}
        {mayTokens && (
          <MenuItem icon="plug" href={href({ kind: "tokens" })}>
            API tokens
          </MenuItem>
        )}
        <MenuItem icon="key" onClick={() => setPassword(true)}>
          Change password
        </MenuItem>
        <MenuItem icon="code" href="./docs">
          API documentation
        </MenuItem>
        <MenuItem icon="leave" onClick={() => void leave()}>
          Sign out
        </MenuItem>
      </Menu>
      {password && <PasswordDialog onClose={() => setPassword(false)} />}
    </>
  );
}
