/*
 * Which cameras and groups a user is granted.  What is not shown, as it is on
 * another page or was not found, stays as it is.
 */

import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useServices } from "../app/services";
import { Button } from "../design/Button";
import { Dialog } from "../design/Dialog";
import { Check, Field } from "../design/Field";
import { Notice, Refused } from "../design/Notice";
import { refusalOf, unwrap } from "../outcome";
import { useCameras } from "../queries";
import type { Account, Grants } from "../types";
import { toggled } from "./form";
import { Trouble } from "./Trouble";
import { useSaving } from "./UserDialog";

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
  const { busy, refusal, save } = useSaving("Saved.", onClose);
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
      <CameraChoice chosen={cameras} onChange={setCameras} />
    </Dialog>
  );
}

interface ChoiceProps {
  chosen: ReadonlySet<string>;
  onChange: (chosen: Set<string>) => void;
}

function GroupChoice({ chosen, onChange }: ChoiceProps) {
  const { api } = useServices();
  const query = useQuery({
    queryKey: ["users", "groups"],
    queryFn: async ({ signal }) => unwrap(await api.users.groups(signal)).value,
  });

  return query.data === undefined || query.data.length === 0 ? null : (
    <fieldset className="users-choice">
      <legend>Groups ({chosen.size} granted)</legend>
      {query.data.map(({ id, name, cameraCount }) => (
        <Check
          key={id}
          label={name}
          hint={cameraCount === 1 ? "1 camera" : `${cameraCount} cameras`}
          checked={chosen.has(id)}
          onChange={() => onChange(toggled(chosen, id))}
        />
      ))}
    </fieldset>
  );
}

function CameraChoice({ chosen, onChange }: ChoiceProps) {
  const [q, setQ] = useState("");
  const query = useCameras({ q: q.trim() || undefined });
  const cameras = query.data?.pages.flatMap((page) => page.cameras) ?? [];

  return (
    <fieldset className="users-choice">
      <legend>Cameras ({chosen.size} granted)</legend>
      <Field
        label="Find"
        type="search"
        maxLength={100}
        value={q}
        onChange={(event) => setQ(event.target.value)}
      />
      {query.isSuccess && cameras.length === 0 && <p>None is found.</p>}
      {cameras.map(({ id, name, place }) => (
        <Check
          key={id}
          label={name}
          hint={place}
          checked={chosen.has(id)}
          onChange={() => onChange(toggled(chosen, id))}
        />
      ))}
      {query.hasNextPage && (
        <Button
          small
          busy={query.isFetchingNextPage}
          onClick={() => void query.fetchNextPage()}
        >
          Show more
        </Button>
      )}
    </fieldset>
  );
}

function title(account: Account): string {
  return `Cameras of ${account.username}`;
}
