/*
 * Several cameras at once, in the grid of a layout: the one that is asked for,
 * else the default one, else whatever is online.
 */

import { useRef } from "react";
import { Title } from "../app/Title";
import { Button, ButtonLink } from "../design/Button";
import { Icon } from "../design/Icon";
import { Menu, MenuItem } from "../design/Menu";
import { Blank, Refused } from "../design/Notice";
import { refusalOf } from "../outcome";
import { fillScreen } from "../player/controls";
import { AUTO, HOME, href } from "../router";
import type { Layout } from "../types";
import { arranged, toGrid } from "./grid";
import { useLayouts, useOnline } from "./queries";
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

function LayoutWall({ layout, layouts }: LayoutWallProps) {
  const stage = useRef<HTMLDivElement>(null);
  const grid = toGrid(layout.layout);

  return (
    <>
      <Head
        title={layout.name}
        current={layout.id}
        layouts={layouts}
        stage={grid.cells.length > 0 ? stage : undefined}
      />
      {grid.cells.length === 0 ? (
        <Blank icon="grid" title="No camera is in this layout">
          <p>Those that were are gone, or are not for you to see.</p>
        </Blank>
      ) : (
        <WallGrid grid={grid} name={layout.name} stage={stage} />
      )}
    </>
  );
}

function OnlineWall({ layouts }: { layouts: Layout[] }) {
  const { ids, more, error, refetch } = useOnline();
  const stage = useRef<HTMLDivElement>(null);
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
        <WallGrid grid={arranged(ids)} name="What is online" stage={stage} />
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
      {more && <p className="wall-more">More are online than are shown here.</p>}
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
}

function Head({ title, current, layouts, stage }: HeadProps) {
  return (
    <div className="screen-head wall-head">
      <a className="back" href={href(HOME)} aria-label="All cameras">
        <Icon name="back" size={20} />
      </a>
      <Title text={title} />
      <div className="actions">
        {layouts.length > 0 && <Choice current={current} layouts={layouts} />}
        {stage !== undefined && document.fullscreenEnabled && (
          <Button icon="full" onClick={() => fillScreen(stage.current, null)}>
            Full screen
          </Button>
        )}
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
