/* Changing one's own password: what both forms for it ask and show. */

import { useState } from "react";
import { PasswordField } from "../design/Field";
import { Notice, RefusalNotice } from "../design/Notice";
import { fieldMessage } from "../messages";
import type { Refusal } from "../outcome";
import { useServices } from "./services";

export interface PasswordChanging {
  currentPassword: string;
  newPassword: string;
  busy: boolean;
  ready: boolean; // everything is filled in
  refusal: Refusal | undefined;
  setCurrent: (value: string) => void;
  setNew: (value: string) => void;
  save: () => Promise<void>;
}

export const PASSWORD_HINT =
  "8 characters or more, with a letter and a digit, without the user name.";

export function usePasswordChange(
  onDone: () => void | Promise<void>,
): PasswordChanging {
  const { api } = useServices();
  const [currentPassword, setCurrent] = useState("");
  const [newPassword, setNew] = useState("");
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<Refusal>();

  const save = async () => {
    setBusy(true);
    const outcome = await api.changePassword({ currentPassword, newPassword });

    if (outcome.kind === "ok") {
      await onDone();
    } else {
      setRefusal(outcome);
    }

    setBusy(false);
  };

  return {
    currentPassword,
    newPassword,
    busy,
    ready: currentPassword !== "" && newPassword !== "",
    refusal,
    setCurrent,
    setNew,
    save,
  };
}

interface FieldsProps {
  present: string; // what the present password is called
  change: PasswordChanging;
}

export function PasswordFields({ present, change }: FieldsProps) {
  const { refusal } = change;

  return (
    <>
      {refusal?.kind === "credentials" && (
        <Notice tone="bad" title="Your present password is not that" />
      )}
      {refusal !== undefined &&
        refusal.kind !== "invalid" &&
        refusal.kind !== "credentials" && <RefusalNotice refusal={refusal} />}
      <PasswordField
        label={present}
        name="currentPassword"
        autoComplete="current-password"
        maxLength={72}
        value={change.currentPassword}
        error={fieldMessage(refusal, "currentPassword")}
        onChange={(event) => change.setCurrent(event.target.value)}
      />
      <PasswordField
        label="New password"
        name="newPassword"
        autoComplete="new-password"
        hint={PASSWORD_HINT}
        maxLength={72}
        value={change.newPassword}
        error={fieldMessage(refusal, "newPassword")}
        onChange={(event) => change.setNew(event.target.value)}
      />
    </>
  );
}
