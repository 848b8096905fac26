/*
 * Change a layout, or make one: the size of the grid and what stands where.
 * Nothing is saved before it is said, and then only over the version that was
 * read: when it was changed elsewhere meanwhile, that is told first.
 */

import { useState } from "react";
import { useServices } from "../app/services";
import { Title } from "../app/Title";
import { Button } from "../design/Button";
import { Notice, RefusalNotice } from "../design/Notice";
import { useToast } from "../design/Toasts";
import type { Refusal, Success } from "../outcome";
import type { Layout } from "../types";
import { EditGrid } from "./EditGrid";
import { settled } from "./edit";
import { type Grid, toGrid, toLayout } from "./grid";
import { KeepDialog } from "./LayoutDialog";
import { useKeepLayout } from "./queries";
import { lostWords } from "./words";

interface EditorProps {
  found: Success<Layout>;
  onClose: () => void;
}

export function Editor({ found, onClose }: EditorProps) {
  const { api } = useServices();
  const { put } = useKeepLayout();
  const say = useToast();
  const [base, setBase] = useState(found);
  const [grid, setGrid] = useState(() => draft(found.value));
  const [busy, setBusy] = useState(false);
  const [changed, setChanged] = useState(false); // elsewhere, meanwhile
  const [refusal, setRefusal] = useState<Refusal>();
  const { id, name } = base.value;

  const save = async () => {
    setBusy(true);
    const outcome = await api.layouts.update(
      id,
      { layout: toLayout(grid) },
      base.etag,
    );

    if (outcome.kind === "ok") {
      put(outcome.value);
      say("Saved.");
      onClose();
    } else if (outcome.kind === "changed") {
      await fetchTheirs();
    } else {
      setRefusal(outcome);
    }

    setBusy(false);
  };

  const fetchTheirs = async () => {
    const outcome = await api.layouts.one(id);

    if (outcome.kind === "ok") {
      setBase(outcome);
      setChanged(true);
      setRefusal(undefined);
    } else {
      setRefusal(outcome);
    }
  };

  return (
    <>
      <Head
        title={`Edit ${name}`}
        busy={busy}
        ready
        save={changed ? "Save mine on top" : "Save"}
        onSave={() => void save()}
        onClose={onClose}
      />
      {changed && (
        <Notice tone="warn" title="This layout was changed elsewhere meanwhile">
          <p>What stands here is not saved yet.</p>
          <Button
            small
            onClick={() => {
              setGrid(draft(base.value));
              setChanged(false);
            }}
          >
            Drop my changes
          </Button>
        </Notice>
      )}
      {refusal !== undefined && (
        <RefusalNotice
          refusal={refusal}
          what={refusal.code === "CAMERA_NOT_FOUND" ? "camera" : "layout"}
        />
      )}
      <Arrange grid={grid} onChange={setGrid} />
    </>
  );
}

interface NewProps {
  first: boolean;
  onClose: () => void;
}

export function NewLayout({ first, onClose }: NewProps) {
  const [grid, setGrid] = useState<Grid>({ columns: 2, rows: 2, cells: [] });
  const [keeping, setKeeping] = useState(false);

  return (
    <>
      <Head
        title="New layout"
        busy={false}
        ready={grid.cells.length > 0}
        save="Save"
        onSave={() => setKeeping(true)}
        onClose={onClose}
      />
      <Arrange grid={grid} onChange={setGrid} />
      {keeping && (
        <KeepDialog
          grid={grid}
          first={first}
          onClose={() => setKeeping(false)}
          onDone={onClose}
        />
      )}
    </>
  );
}

/* what lies over each other, which other programs may save, is set apart */
function draft(layout: Layout): Grid {
  const { cells, columns, rows } = toGrid(layout.layout);

  return settled(cells, columns, rows).grid;
}

interface HeadProps {
  title: string;
  busy: boolean;
  ready: boolean;
  save: string;
  onSave: () => void;
  onClose: () => void;
}

function Head({ title, busy, ready, save, onSave, onClose }: HeadProps) {
  return (
    <div className="screen-head wall-head">
      <Title text={title} />
      <div className="actions">
        <Button onClick={onClose}>Cancel</Button>
        <Button look="primary" busy={busy} disabled={!ready} onClick={onSave}>
          {save}
        </Button>
      </div>
    </div>
  );
}

interface ArrangeProps {
  grid: Grid;
  onChange: (grid: Grid) => void;
}

function Arrange({ grid, onChange }: ArrangeProps) {
  const say = useToast();

  const resize = (columns: number, rows: number) => {
    const { grid: next, lost } = settled(grid.cells, columns, rows);

    onChange(next);

    if (lost.length > 0) {
      say(lostWords(lost.length), "bad");
    }
  };

  return (
    <>
      <div className="wall-tools">
        <Side
          label="Columns"
          value={grid.columns}
          onChange={(columns) => resize(columns, grid.rows)}
        />
        <Side
          label="Rows"
          value={grid.rows}
          onChange={(rows) => resize(grid.columns, rows)}
        />
        <p>
          Drag a picture to where it is to stand, or use the arrow keys; its menu
          makes it larger.
        </p>
      </div>
      <EditGrid grid={grid} onChange={onChange} />
    </>
  );
}

interface SideProps {
  label: string;
  value: number;
  onChange: (value: number) => void;
}

const SIDE = 8; // as large as 64 cells make a square

function Side({ label, value, onChange }: SideProps) {
  return (
    <label>
      {label}
      <select
        className="input"
        name={label.toLowerCase()}
        value={value}
        onChange={(event) => onChange(Number(event.target.value))}
      >
        {Array.from({ length: Math.max(SIDE, value) }, (_, n) => (
          <option key={n} value={n + 1}>
            {n + 1}
          </option>
        ))}
      </select>
    </label>
  );
}
