/*
 * Several cameras at once, in the grid of a layout: the one that is asked for,
 * else the default one, else whatever is online.
 */

import { type ReactNode, useRef, useState } from "react";
import { useServices } from "../app/services";
import { Title } from "../app/Title";
import { Button, ButtonLink } from "../design/Button";
import { Icon } from "../design/Icon";
import { Menu, MenuItem } from "../design/Menu";
import { Blank, Refused, refusalWords } from "../design/Notice";
import { useToast } from "../design/Toasts";
import { refusalOf, type Success } from "../outcome";
import { fillScreen } from "../player/controls";
import { AUTO, go, HOME, href, NEW } from "../router";
import type { Layout } from "../types";
import { Editor, NewLayout } from "./Editor";
import { arranged, toGrid } from "./grid";
import { KeepDialog, RemoveDialog, RenameDialog } from "./LayoutDialog";
import { useKeepLayout, useLayouts, useOnline } from "./queries";
import { WallGrid } from "./WallGrid";
import "./wall.css";

export default function Wall({ id }: { id: string | undefined }) {
  const query = useLayouts();
  const layouts = query.data;

  if (layouts === undefined) {
    return (
      <>
        <div className="screen-head wall-head">
          <Title text="Wall" />
        </div>
        {query.isError ? (
          <Refused
            refusal={refusalOf(query.error)}
            what="layout"
            onRetry={() => void query.refetch()}
          />
        ) : (
          <Loading />
        )}
      </>
    );
  }

  if (id === NEW) {
    return (
      <NewLayout
        first={!layouts.some(({ isDefault }) => isDefault)}
        onClose={() => go({ kind: "wall", id: undefined }, "replace")}
      />
    );
  }

  const layout = layouts.find((one) =>
    id === undefined ? one.isDefault : one.id === id,
  );

  if (layout !== undefined) {
    return <LayoutWall layout={layout} layouts={layouts} />;
  }

  return id === undefined || id === AUTO ? (
    <OnlineWall layouts={layouts} />
  ) : (
    <NoLayout layouts={layouts} />
  );
}

interface LayoutWallProps {
  layout: Layout;
  layouts: Layout[];
}

type Open = "rename" | "remove" | undefined;

function LayoutWall({ layout, layouts }: LayoutWallProps) {
  const stage = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState<Open>();
  const [found, setFound] = useState<Success<Layout>>(); // is changed
  const grid = toGrid(layout.layout);
  const close = () => setOpen(undefined);
  const edit = useEdit(layout.id, setFound);

  if (found !== undefined) {
    return <Editor found={found} onClose={() => setFound(undefined)} />;
  }

  return (
    <>
      <Head
        title={layout.name}
        current={layout.id}
        layouts={layouts}
        stage={grid.cells.length > 0 ? stage : undefined}
      >
        <Button icon="edit" busy={edit.busy} onClick={() => void edit.start()}>
          Edit
        </Button>
        <LayoutMenu layout={layout} onOpen={setOpen} />
      </Head>
      {grid.cells.length === 0 ? (
        <Blank icon="grid" title="No camera is in this layout">
          <p>Those that were are gone, or are not for you to see.</p>
        </Blank>
      ) : (
        <WallGrid grid={grid} name={layout.name} stage={stage} />
      )}
      {open === "rename" && <RenameDialog layout={layout} onClose={close} />}
      {open === "remove" && <RemoveDialog layout={layout} onClose={close} />}
    </>
  );
}

/* what is changed is what there is now, with its version */
function useEdit(id: string, onFound: (found: Success<Layout>) => void) {
  const { api } = useServices();
  const say = useToast();
  const [busy, setBusy] = useState(false);

  const start = async () => {
    setBusy(true);
    const outcome = await api.layouts.one(id);
    setBusy(false);

    if (outcome.kind === "ok") {
      onFound(outcome);
    } else {
      say(`${refusalWords(outcome, "layout").title}.`, "bad");
    }
  };

  return { busy, start };
}

interface LayoutMenuProps {
  layout: Layout;
  onOpen: (open: Open) => void;
}

function LayoutMenu({ layout, onOpen }: LayoutMenuProps) {
  const { api } = useServices();
  const { put } = useKeepLayout();
  const say = useToast();
  const { id, name, isDefault } = layout;

  const toggle = async () => {
    const outcome = await api.layouts.update(id, { isDefault: !isDefault });

    if (outcome.kind === "ok") {
      put(outcome.value);
      say(isDefault ? `${name} opens first no more.` : `${name} opens first.`);
    } else {
      say(`${refusalWords(outcome, "layout").title}.`, "bad");
    }
  };

  return (
    <Menu label={`More for ${name}`} button={<Icon name="more" />}>
      <MenuItem icon="check" onClick={() => void toggle()}>
        {isDefault ? "Do not open first" : "Open first"}
      </MenuItem>
      <MenuItem icon="edit" onClick={() => onOpen("rename")}>
        Rename
      </MenuItem>
      <hr className="menu-line" />
      <MenuItem icon="trash" danger onClick={() => onOpen("remove")}>
        Remove layout
      </MenuItem>
    </Menu>
  );
}

function OnlineWall({ layouts }: { layouts: Layout[] }) {
  const { ids, more, error, refetch } = useOnline();
  const stage = useRef<HTMLDivElement>(null);
  const [keeping, setKeeping] = useState(false);
  const some = ids !== undefined && ids.length > 0;

  return (
    <>
      <Head
        title="Wall"
        current={AUTO}
        layouts={layouts}
        stage={some ? stage : undefined}
      />
      {ids === undefined ? (
        error === null ? (
          <Loading />
        ) : (
          <Refused refusal={refusalOf(error)} onRetry={refetch} />
        )
      ) : some ? (
        <>
          <WallGrid grid={arranged(ids)} name="What is online" stage={stage} />
          <div className="wall-invite">
            <p>
              This is what is online
              {more ? ", as much of it as plays at once" : ""}. Keep it as a
              layout to have it in an order and size of your own.
            </p>
            <Button small onClick={() => setKeeping(true)}>
              Keep as a layout
            </Button>
          </div>
        </>
      ) : (
        <Blank
          icon="camera-off"
          title="No camera is online"
          tone="calm"
          actions={<ButtonLink href={href(HOME)}>All cameras</ButtonLink>}
        >
          <p>Each appears here by itself as soon as it sends a picture.</p>
        </Blank>
      )}
      {keeping && ids !== undefined && (
        <KeepDialog
          grid={arranged(ids)}
          first={!layouts.some(({ isDefault }) => isDefault)}
          onClose={() => setKeeping(false)}
        />
      )}
    </>
  );
}

function NoLayout({ layouts }: { layouts: Layout[] }) {
  return (
    <>
      <Head title="Wall" current={undefined} layouts={layouts} />
      <Blank
        icon="search"
        title="There is no such layout"
        tone="calm"
        actions={
          <ButtonLink href={href({ kind: "wall", id: undefined })}>
            To the wall
          </ButtonLink>
        }
      >
        <p>It was removed, or is somebody else's: each user has their own.</p>
      </Blank>
    </>
  );
}

interface HeadProps {
  title: string;
  current: string | undefined;
  layouts: Layout[];
  stage?: { current: HTMLDivElement | null } | undefined; // fills the screen
  children?: ReactNode;
}

function Head({ title, current, layouts, stage, children }: HeadProps) {
  const first = layouts.find(({ isDefault }) => isDefault)?.id;

  return (
    <div className="screen-head wall-head">
      <a className="back" href={href(HOME)} aria-label="All cameras">
        <Icon name="back" size={20} />
      </a>
      <Title text={title} />
      {first !== undefined && first === current && (
        <span className="badge">Opens first</span>
      )}
      <div className="actions">
        <Choice current={current} layouts={layouts} />
        {stage !== undefined && document.fullscreenEnabled && (
          <Button
            icon="full"
            aria-label="Full screen"
            onClick={() => fillScreen(stage.current, null)}
          >
            <span>Full screen</span>
          </Button>
        )}
        {children}
      </div>
    </div>
  );
}

function Choice({ current, layouts }: Pick<HeadProps, "current" | "layouts">) {
  return (
    <Menu
      label="Choose a layout"
      className="button"
      button={
        <>
          <Icon name="grid" />
          Layouts
          <Icon name="down" size={15} />
        </>
      }
    >
      <div className="wall-choice">
        {layouts.map(({ id, name, isDefault }) => (
          <MenuItem
            key={id}
            icon={id === current ? "check" : "grid"}
            href={href({ kind: "wall", id })}
          >
            <span>{name}</span>
            {isDefault && <small>first</small>}
          </MenuItem>
        ))}
      </div>
      <hr className="menu-line" />
      <MenuItem
        icon={current === AUTO ? "check" : "camera"}
        href={href({ kind: "wall", id: AUTO })}
      >
        All that is online
      </MenuItem>
      <MenuItem icon="plus" href={href({ kind: "wall", id: NEW })}>
        New layout
      </MenuItem>
    </Menu>
  );
}

function Loading() {
  return (
    <div className="wall-stage" aria-busy="true" aria-label="Loading">
      <div className="wall-picture skeleton wall-loading" />
    </div>
  );
}
