/* Change one's own password. */

import { Button } from "../design/Button";
import { Dialog } from "../design/Dialog";
import { useToast } from "../design/Toasts";
import { PasswordFields, usePasswordChange } from "./PasswordChange";

export function PasswordDialog({ onClose }: { onClose: () => void }) {
  const say = useToast();
  const change = usePasswordChange(() => {
    say("Password changed. Your other sessions were ended.");
    onClose();
  });

  return (
    <Dialog
      title="Change password"
      onClose={onClose}
      onSubmit={() => void change.save()}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            type="submit"
            look="primary"
            busy={change.busy}
            disabled={!change.ready}
          >
            Change password
          </Button>
        </>
      }
    >
      <PasswordFields present="Present password" change={change} />
    </Dialog>
  );
}
