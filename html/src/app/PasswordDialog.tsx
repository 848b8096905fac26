/* Change one's own password. */

import { useState } from "react";
import { Button } from "../design/Button";
import { Dialog } from "../design/Dialog";
import { PasswordField } from "../design/Field";
import { Notice, RefusalNotice } from "../design/Notice";
import { useToast } from "../design/Toasts";
import { fieldMessage } from "../messages";
import type { Refusal } from "../outcome";
import { useServices } from "./services";

export function PasswordDialog({ onClose }: { onClose: () => void }) {
  const { api } = useServices();
  const say = useToast();
  const [currentPassword, setCurrent] = useState("");
  const [newPassword, setNew] = useState("");
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<Refusal>();

  const save = async () => {
    setBusy(true);
    const outcome = await api.changePassword({ currentPassword, newPassword });
    setBusy(false);

    if (outcome.kind === "ok") {
      say("Password changed. Your other sessions were ended.");
      onClose();
    } else {
      setRefusal(outcome);
    }
  };

  return (
    <Dialog
      title="Change password"
      onClose={onClose}
      onSubmit={() => void save()}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            type="submit"
            look="primary"
            busy={busy}
            disabled={currentPassword === "" || newPassword === ""}
          >
            Change password
          </Button>
        </>
      }
    >
      {refusal?.kind === "credentials" && (
        <Notice tone="bad" title="Your present password is not that" />
      )}
      {refusal !== undefined &&
        refusal.kind !== "invalid" &&
        refusal.kind !== "credentials" && <RefusalNotice refusal={refusal} />}
      <PasswordField
        label="Present password"
        autoComplete="current-password"
        maxLength={72}
        value={currentPassword}
        error={fieldMessage(refusal, "currentPassword")}
        onChange={(event) => setCurrent(event.target.value)}
      />
      <PasswordField
        label="New password"
        autoComplete="new-password"
        hint="8 characters or more, with a letter and a digit, without your name."
        maxLength={72}
        value={newPassword}
        error={fieldMessage(refusal, "newPassword")}
        onChange={(event) => setNew(event.target.value)}
      />
    </Dialog>
  );
}
