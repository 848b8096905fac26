/*
 * Some of all cameras, found by their names.  What is chosen and not shown, as
 * it is on another page or was not found, stays chosen.
 */

import { useState } from "react";
import { Button } from "../design/Button";
import { Check, Field } from "../design/Field";
import { useCameras } from "../queries";
import { toggled } from "../sets";

export interface ChoiceProps {
  chosen: ReadonlySet<string>;
  onChange: (chosen: Set<string>) => void;
}

export function CameraChoice(props: ChoiceProps & { words: string }) {
  const { words, chosen, onChange } = props;
  const [q, setQ] = useState("");
  const query = useCameras({ q: q.trim() || undefined });
  const cameras = query.data?.pages.flatMap((page) => page.cameras) ?? [];

  return (
    <fieldset className="choice">
      <legend>Cameras ({chosen.size} {words})</legend>
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
