/*
 * Which cameras and groups a user is granted.  What is not shown, as it is on
 * another page or was not found, stays as it is.
 */

import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useServices } from "../app/services";
import { useSaving } from "../app/useSaving";
import { Button } from "../design/Button";
import { Dialog } from "../design/Dialog";
import { Check } from "../design/Field";
import { Notice, Refused } from "../design/Notice";
import { CameraChoice, type ChoiceProps } from "../groups/CameraChoice";
import { camerasWords } from "../groups/words";
import { refusalOf, unwrap } from "../outcome";
import { href } from "../router";
import { toggled } from "../sets";
import type { Account, Grants } from "../types";
import { Trouble } from "./Trouble";

interface GrantsProps {
  account: Account;
  onClose: () => void;
}

export function GrantsDialog({ account, onClose }: GrantsProps) {
  const { api } = useServices();
  const query = useQuery({
    queryKey: ["users", "grants", account.id],
    gcTime: 0, // what is edited is what there is now
    queryFn: async ({ signal }) =>
      unwrap(await api.users.grants(account.id, signal)).value,
  });

  return query.data !== undefined ? (
    <Editor account={account} found={query.data} onClose={onClose} />
  ) : (
    <Dialog
      title={title(account)}
      onClose={onClose}
      actions={<Button onClick={onClose}>Close</Button>}
    >
      {query.isError ? (
        <Refused
          refusal={refusalOf(query.error)}
          onRetry={() => void query.refetch()}
        />
      ) : (
        <p className="dialog-text">Looking them up…</p>
      )}
    </Dialog>
  );
}

function Editor(props: GrantsProps & { found: Grants }) {
  const { account, found, onClose } = props;
  const { api } = useServices();
  const [cameras, setCameras] = useState(new Set(found.cameraIds));
  const [groups, setGroups] = useState(new Set(found.groupIds));
  const { busy, refusal, save } = useSaving("users", "Saved.", onClose);
  const put = { cameraIds: [...cameras], groupIds: [...groups] };

  return (
    <Dialog
      title={title(account)}
      onClose={onClose}
      onSubmit={() => void save(() => api.users.putGrants(account.id, put))}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" busy={busy}>
            Save
          </Button>
        </>
      }
    >
      {found.cameraScope === "all" && (
        <Notice tone="info" title="This user sees all cameras">
          What is granted counts once that is changed.
        </Notice>
      )}
      <Trouble refusal={refusal} />
      <GroupChoice chosen={groups} onChange={setGroups} />
      <CameraChoice words="granted" chosen={cameras} onChange={setCameras} />
    </Dialog>
  );
}

/* whoever is granted a group sees what is put into it later, too */
function GroupChoice({ chosen, onChange }: ChoiceProps) {
  const { api } = useServices();
  const query = useQuery({
    queryKey: ["groups", "all"],
    queryFn: async ({ signal }) => unwrap(await api.groups.all(signal)).value,
  });

  return query.data === undefined ? null : (
    <fieldset className="choice">
      <legend>Groups ({chosen.size} granted)</legend>
      {query.data.length === 0 && (
        <p>
          There are none. They are made under{" "}
          <a href={href({ kind: "groups", q: "" })}>Camera groups</a>.
        </p>
      )}
      {query.data.map(({ id, name, cameraCount }) => (
        <Check
          key={id}
          label={name}
          hint={camerasWords(cameraCount)}
          checked={chosen.has(id)}
          onChange={() => onChange(toggled(chosen, id))}
        />
      ))}
    </fieldset>
  );
}

function title(account: Account): string {
  return `Cameras of ${account.username}`;
}
