/* Give a user another password. */

import { useState } from "react";
import { useServices } from "../app/services";
import { useSaving } from "../app/useSaving";
import { Button } from "../design/Button";
import { Dialog } from "../design/Dialog";
import type { Account } from "../types";
import { makePassword, userMessage } from "./form";
import { Trouble } from "./Trouble";
import { FirstPassword } from "./UserDialog";

interface ResetProps {
  account: Account;
  onClose: () => void;
}

export function ResetDialog({ account, onClose }: ResetProps) {
  const { api } = useServices();
  const [password, setPassword] = useState(makePassword);
  const { busy, refusal, save } = useSaving("users", "Password reset.", onClose);

  return (
    <Dialog
      title={`Reset the password of ${account.username}`}
      onClose={onClose}
      onSubmit={() =>
        void save(() => api.users.resetPassword(account.id, password))
      }
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            type="submit"
            look="danger"
            busy={busy}
            disabled={password === ""}
          >
            Reset password
          </Button>
        </>
      }
    >
      <p className="dialog-text">All sessions of the user end.</p>
      <Trouble refusal={refusal} />
      <FirstPassword
        value={password}
        onChange={setPassword}
        error={userMessage(refusal, "password")}
      />
    </Dialog>
  );
}
