/* Which cameras are in a group. */

import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useServices } from "../app/services";
import { useSaving } from "../app/useSaving";
import { Button } from "../design/Button";
import { Dialog } from "../design/Dialog";
import { RefusalNotice, Refused } from "../design/Notice";
import { type Outcome, refusalOf, unwrap } from "../outcome";
import { difference } from "../sets";
import type { CameraGroup, CameraGroupDetail } from "../types";
import { CameraChoice } from "./CameraChoice";

interface CamerasProps {
  group: CameraGroup;
  onClose: () => void;
}

export function GroupCamerasDialog({ group, onClose }: CamerasProps) {
  const { api } = useServices();
  const query = useQuery({
    queryKey: ["groups", "one", group.id],
    gcTime: 0, // what is edited is what there is now
    queryFn: async ({ signal }) =>
      unwrap(await api.groups.one(group.id, signal)).value,
  });

  return query.data !== undefined ? (
    <Editor group={query.data} onClose={onClose} />
  ) : (
    <Dialog
      title={title(group)}
      onClose={onClose}
      actions={<Button onClick={onClose}>Close</Button>}
    >
      {query.isError ? (
        <Refused
          refusal={refusalOf(query.error)}
          what="group"
          onRetry={() => void query.refetch()}
        />
      ) : (
        <p className="dialog-text">Looking them up…</p>
      )}
    </Dialog>
  );
}

interface EditorProps {
  group: CameraGroupDetail;
  onClose: () => void;
}

function Editor({ group, onClose }: EditorProps) {
  const { api } = useServices();
  const [before] = useState(() => new Set(group.cameraIds));
  const [chosen, setChosen] = useState(before);
  const { busy, refusal, save } = useSaving("groups", "Saved.", onClose);
  const { added, removed } = difference(before, chosen);

  /* one by one; what was done before a refusal may be sent again */
  const put = async () => {
    let outcome: Outcome<unknown> | undefined;

    for (const id of added) {
      outcome = await api.groups.putCamera(group.id, id);

      if (outcome.kind !== "ok") {
        return outcome;
      }
    }

    for (const id of removed) {
      outcome = await api.groups.takeCamera(group.id, id);

      if (outcome.kind !== "ok") {
        return outcome;
      }
    }

    return outcome ?? api.groups.one(group.id);
  };

  return (
    <Dialog
      title={title(group)}
      onClose={onClose}
      onSubmit={() => void save(put)}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            type="submit"
            look="primary"
            busy={busy}
            disabled={added.length === 0 && removed.length === 0}
          >
            Save
          </Button>
        </>
      }
    >
      <p className="dialog-text">
        Whoever is granted this group sees what is put into it at once, and no
        longer what is taken out.
      </p>
      {refusal !== undefined && <RefusalNotice refusal={refusal} what="camera or group" />}
      <CameraChoice words="in it" chosen={chosen} onChange={setChosen} />
    </Dialog>
  );
}

function title({ name }: CameraGroup): string {
  return `Cameras of ${name}`;
}
