/* Remove a user: what goes with them, and what stays. */

import { useQueryClient } from "@tanstack/react-query";
import { useServices } from "../app/services";
import { Confirm, Consequence } from "../design/Confirm";
import { useToast } from "../design/Toasts";
import type { Account } from "../types";

interface RemoveProps {
  account: Account;
  onClose: () => void;
}

export function RemoveUserDialog({ account, onClose }: RemoveProps) {
  const { api } = useServices();
  const client = useQueryClient();
  const say = useToast();

  return (
    <Confirm
      title={`Remove ${account.username}?`}
      action="Remove user"
      what="user"
      onClose={onClose}
      work={() => api.users.remove(account.id)}
      onDone={() => {
        void client.invalidateQueries({ queryKey: ["users"] });
        void client.invalidateQueries({ queryKey: ["tokens"] });
        say(`${account.username} was removed.`);
        onClose();
      }}
    >
      <p className="dialog-text">
        To keep somebody out for a while, take &ldquo;May log in&rdquo; away
        under Edit instead.
      </p>
      <ul className="facts">
        <Consequence icon="leave">
          Sessions end, and what is open goes dark within a second.
        </Consequence>
        <Consequence icon="key">
          API tokens of this user stop working, whoever uses them.
        </Consequence>
        <Consequence icon="trash">
          Layouts and grants go, too. The name is free again.
        </Consequence>
        <Consequence icon="bookmark">
          Bookmarks and exports stay, with nobody&rsquo;s name.
        </Consequence>
        <Consequence icon="eye">
          The audit keeps who did what, by name.
        </Consequence>
      </ul>
    </Confirm>
  );
}
