/*
 * How outcomes look: a line beside what it is about (`Notice`), a whole screen
 * (`Blank`), and what a refusal says in either (`RefusalNotice`, `Refused`).
 */

import type { ReactNode } from "react";
import type { Refusal } from "../outcome";
import { Button } from "./Button";
import { Icon, type IconName } from "./Icon";

export type Tone = "good" | "warn" | "bad" | "info" | "calm";

interface NoticeProps {
  tone: Tone;
  title?: string;
  icon?: IconName;
  children?: ReactNode;
}

export function Notice({ tone, title, icon, children }: NoticeProps) {
  return (
    <div
      className="notice"
      data-tone={tone}
      role={tone === "bad" ? "alert" : "status"}
    >
      <Icon name={icon ?? (tone === "good" ? "check" : "alert")} />
      <div>
        {title !== undefined && <strong>{title}</strong>}
        {children}
      </div>
    </div>
  );
}

interface BlankProps {
  icon: IconName;
  title: string;
  tone?: Tone;
  actions?: ReactNode;
  children?: ReactNode;
}

export function Blank({ icon, title, tone, actions, children }: BlankProps) {
  return (
    <section className="blank" data-tone={tone}>
      <div className="blank-icon">
        <Icon name={icon} size={26} />
      </div>
      <h2>{title}</h2>
      {children}
      {actions !== undefined && <div className="blank-actions">{actions}</div>}
    </section>
  );
}

interface RefusalProps {
  refusal: Refusal;
  what?: string; // is gone, when that is why
}

export function RefusalNotice({ refusal, what }: RefusalProps) {
  const { title, text } = refusalWords(refusal, what);

  return (
    <Notice tone="bad" title={title}>
      {text}
      <RequestId refusal={refusal} />
    </Notice>
  );
}

interface RefusedProps {
  refusal: Refusal;
  what?: string;
  onRetry?: () => void;
  actions?: ReactNode;
}

export function Refused({ refusal, what, onRetry, actions }: RefusedProps) {
  const { title, text, icon } = refusalWords(refusal, what);
  const retry = onRetry !== undefined && isWorthRetrying(refusal);

  return (
    <Blank
      icon={icon}
      title={title}
      tone={refusal.kind === "missing" ? "calm" : "bad"}
      actions={
        <>
          {retry && (
            <Button icon="refresh" onClick={onRetry}>
              Try again
            </Button>
          )}
          {actions}
        </>
      }
    >
      <p>{text}</p>
      <RequestId refusal={refusal} />
    </Blank>
  );
}

function RequestId({ refusal }: { refusal: Refusal }) {
  return refusal.requestId === undefined ? null : (
    <p className="request-id">
      Request <span className="mono">{refusal.requestId}</span>
    </p>
  );
}

function isWorthRetrying(refusal: Refusal): boolean {
  return !["denied", "missing", "signed-out"].includes(refusal.kind);
}

interface RefusalWords {
  title: string;
  text: string;
  icon: IconName;
}

export function refusalWords(
  refusal: Refusal,
  what = "camera",
): RefusalWords {
  switch (refusal.kind) {
    case "away":
      return refusal.code === "UNREACHABLE"
        ? {
            icon: "plug",
            title: "The server cannot be reached",
            text: "It is asked again by itself. Live pictures may go on.",
          }
        : {
            icon: "plug",
            title: "The server is not ready",
            text: `${refusal.message} It is asked again by itself.`,
          };

    case "busy":
      return {
        icon: "pause",
        title: "Too many requests",
        text: `Please wait ${seconds(refusal.seconds)}.`,
      };

    case "denied":
      return {
        icon: "lock",
        title: "Not for your role",
        text: `${refusal.message} An administrator can change what you may do.`,
      };

    case "missing":
      return {
        icon: "search",
        title: `There is no such ${what}`,
        text: "It was removed, or the link is wrong.",
      };

    case "signed-out":
      return {
        icon: "lock",
        title: "You are signed out",
        text: "Your session has ended. Sign in again.",
      };

    case "invalid":
      return {
        icon: "alert",
        title: "That cannot be saved",
        text: "Please look at the marked fields.",
      };

    default:
      return { icon: "alert", title: "That did not work", text: refusal.message };
  }
}

export function seconds(wait: number): string {
  const n = Math.ceil(wait);

  if (n < 60) {
    return n === 1 ? "1 second" : `${n} seconds`;
  }

  const minutes = Math.ceil(n / 60);

  return minutes === 1 ? "a minute" : `${minutes} minutes`;
}
