/* Say anew what a token may do. */

import { useState } from "react";
import { useServices, useUser } from "../app/services";
import { useSaving } from "../app/useSaving";
import { Button } from "../design/Button";
import { Dialog } from "../design/Dialog";
import { RefusalNotice } from "../design/Notice";
import { fieldMessage } from "../messages";
import type { ApiToken } from "../types";
import { choices } from "./form";
import { Permissions } from "./Permissions";

interface DialogProps {
  token: ApiToken;
  onClose: () => void;
}

export function PermissionsDialog({ token, onClose }: DialogProps) {
  const { api } = useServices();
  const user = useUser();
  const [before] = useState(() => new Set(token.permissions));
  const [offered] = useState(() => choices(user, before));
  const [chosen, setChosen] = useState(before);
  const { busy, refusal, save } = useSaving("tokens", "Saved.", onClose);
  const isChanged = offered.some((one) => before.has(one) !== chosen.has(one));

  return (
    <Dialog
      title={`Permissions of ${token.name}`}
      onClose={onClose}
      onSubmit={() =>
        void save(() => api.tokens.setPermissions(token.id, [...chosen]))
      }
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            type="submit"
            look="primary"
            busy={busy}
            disabled={!isChanged || chosen.size === 0}
          >
            Save
          </Button>
        </>
      }
    >
      <p className="dialog-text">It counts with the next request.</p>
      {refusal !== undefined && refusal.kind !== "invalid" && (
        <RefusalNotice refusal={refusal} what="token" />
      )}
      <Permissions
        offered={offered}
        chosen={chosen}
        error={fieldMessage(refusal, "permissions")}
        onChange={setChosen}
      />
    </Dialog>
  );
}
