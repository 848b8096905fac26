/*
 * Asks before what cannot be undone: its children say in full what comes of
 * it.  What is refused is said there, and may be tried again.
 */

import { type ReactNode, useState } from "react";
import type { Outcome, Refusal } from "../outcome";
import { Button } from "./Button";
import { Dialog } from "./Dialog";
import { Icon, type IconName } from "./Icon";
import { RefusalNotice } from "./Notice";

interface ConfirmProps<T> {
  title: string;
  action: string;
  what?: string; // is asked about, if it is no camera
  work: () => Promise<Outcome<T>>;
  onDone: (value: T) => void;
  onClose: () => void;
  children: ReactNode;
}

export function Confirm<T>(props: ConfirmProps<T>) {
  const { title, action, what, work, onDone, onClose, children } = props;
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<Refusal>();

  const confirm = async () => {
    setBusy(true);
    const outcome = await work();

    if (outcome.kind === "ok") {
      onDone(outcome.value);
    } else {
      setBusy(false);
      setRefusal(outcome);
    }
  };

  return (
    <Dialog
      title={title}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button look="danger" busy={busy} onClick={() => void confirm()}>
            {action}
          </Button>
        </>
      }
    >
      {refusal !== undefined && (
        <RefusalNotice refusal={refusal} {...(what !== undefined && { what })} />
      )}
      {children}
    </Dialog>
  );
}

export function Consequence(props: { icon: IconName; children: ReactNode }) {
  return (
    <li>
      <Icon name={props.icon} />
      <span>{props.children}</span>
    </li>
  );
}
