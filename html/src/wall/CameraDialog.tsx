/* Which camera a place of the wall shows; Enter takes the first one found. */

import { useState } from "react";
import { StatusBadge } from "../cameras/StatusBadge";
import { Button } from "../design/Button";
import { Dialog } from "../design/Dialog";
import { Field } from "../design/Field";
import { Refused } from "../design/Notice";
import { refusalOf } from "../outcome";
import { useCameras } from "../queries";

interface CameraDialogProps {
  title: string;
  taken: ReadonlySet<string>; // stand somewhere on the wall already
  onChoose: (id: string, name: string) => void;
  onClose: () => void;
}

export function CameraDialog(props: CameraDialogProps) {
  const { title, taken, onChoose, onClose } = props;
  const [q, setQ] = useState("");
  const query = useCameras({ q: q.trim() || undefined });
  const cameras = query.data?.pages.flatMap((page) => page.cameras) ?? [];
  const first = cameras.find(({ id }) => !taken.has(id));

  return (
    <Dialog
      title={title}
      onClose={onClose}
      onSubmit={() => {
        if (first !== undefined && !query.isPlaceholderData) {
          onChoose(first.id, first.name);
        }
      }}
      actions={<Button onClick={onClose}>Cancel</Button>}
    >
      <Field
        label="Find"
        name="find"
        type="search"
        autoComplete="off"
        maxLength={100}
        value={q}
        onChange={(event) => setQ(event.target.value)}
      />
      {query.isError && cameras.length === 0 && (
        <Refused
          refusal={refusalOf(query.error)}
          onRetry={() => void query.refetch()}
        />
      )}
      {query.isSuccess && cameras.length === 0 && (
        <p className="dialog-text">None is found.</p>
      )}
      <ul className="wall-cameras" aria-label="Cameras">
        {cameras.map((camera) => (
          <li key={camera.id}>
            <button
              type="button"
              disabled={taken.has(camera.id)}
              onClick={() => onChoose(camera.id, camera.name)}
            >
              <span>
                {camera.name}
                <small>
                  {taken.has(camera.id) ? "on the wall already" : camera.place}
                </small>
              </span>
              <StatusBadge camera={camera} />
            </button>
          </li>
        ))}
      </ul>
      {query.hasNextPage && (
        <Button
          small
          busy={query.isFetchingNextPage}
          onClick={() => void query.fetchNextPage()}
        >
          Show more
        </Button>
      )}
    </Dialog>
  );
}
