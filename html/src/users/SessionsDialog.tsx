/* Where a user is logged in. */

import { useQuery } from "@tanstack/react-query";
import { useServices } from "../app/services";
import { useSaving } from "../app/useSaving";
import { Button } from "../design/Button";
import { Dialog } from "../design/Dialog";
import { refusalWords } from "../design/Notice";
import { refusalOf, unwrap } from "../outcome";
import type { Account, UserSession } from "../types";
import { Trouble } from "./Trouble";

interface SessionsProps {
  account: Account;
  onClose: () => void;
}

export function SessionsDialog({ account, onClose }: SessionsProps) {
  const { api } = useServices();
  const query = useQuery({
    queryKey: ["users", "sessions", account.id],
    queryFn: async ({ signal }) =>
      unwrap(await api.users.sessions(account.id, signal)).value,
  });

  return (
    <Dialog
      title={`Sessions of ${account.username}`}
      onClose={onClose}
      actions={<Button onClick={onClose}>Close</Button>}
    >
      {query.data === undefined ? (
        <p className="dialog-text">
          {query.isError
            ? `${refusalWords(refusalOf(query.error)).title}.`
            : "Looking them up…"}
        </p>
      ) : query.data.length === 0 ? (
        <p className="dialog-text">Not logged in anywhere.</p>
      ) : (
        <ul className="users-rows">
          {query.data.map((one) => (
            <Row key={one.id} account={account} session={one} />
          ))}
        </ul>
      )}
    </Dialog>
  );
}

function Row({ account, session }: { account: Account; session: UserSession }) {
  const { api } = useServices();
  const { busy, refusal, save } = useSaving("users", "Session ended.", () => undefined);

  return (
    <li data-session={session.id}>
      <span className="users-name">
        <strong>{session.device ?? "Unknown device"}</strong>
        <small>
          {session.address} last {new Date(session.lastUsedAt).toLocaleString()}
        </small>
        <Trouble refusal={refusal} />
      </span>
      {session.current ? (
        <span>this one</span>
      ) : (
        <Button
          small
          busy={busy}
          onClick={() =>
            void save(() => api.users.endSession(account.id, session.id))
          }
        >
          End
        </Button>
      )}
    </li>
  );
}
