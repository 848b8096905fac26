/*
 * The list of cameras.  What is searched for stands in the address, so that a
 * reload, a bookmark and the way back show the same.
 */

import { useEffect, useRef } from "react";
import { useMay } from "../app/services";
import { Title } from "../app/Title";
import { Button, ButtonLink } from "../design/Button";
import { Blank, Refused } from "../design/Notice";
import { Search } from "../design/Search";
import { refusalOf } from "../outcome";
import { useCameras } from "../queries";
import { go, HOME, href, STATUSES } from "../router";
import type { Camera, StreamStatus } from "../types";
import { CameraCard, CameraCardSkeleton } from "./CameraCard";
import { statusWords } from "./status";
import "./cameras.css";

interface Filter {
  q: string;
  status: StreamStatus | undefined;
  tag: string | undefined;
}

const SKELETONS = 8;

export function Cameras({ q, status, tag }: Filter) {
  const query = useCameras({ q, status, tag });
  const writes = useMay("cameras:write");
  const views = useMay("streams:view");
  const cameras = query.data?.pages.flatMap((page) => page.cameras);
  const filtered = q !== "" || status !== undefined || tag !== undefined;
  const empty = cameras?.length === 0 && !filtered;

  return (
    <>
      <div className="screen-head">
        <Title text="Cameras" />
        {cameras !== undefined && !empty && (
          <span className="count">
            {cameras.length}
            {query.hasNextPage ? "+" : ""}
          </span>
        )}
        {!empty && (
          <div className="actions">
            {views && (
              <ButtonLink
                icon="grid"
                aria-label="Wall"
                href={href({ kind: "wall", id: undefined })}
              >
                <span>Wall</span>
              </ButtonLink>
            )}
            {writes && (
              <ButtonLink look="primary" icon="plus" href={href({ kind: "add" })}>
                Add camera
              </ButtonLink>
            )}
          </div>
        )}
      </div>

      {!empty && (cameras !== undefined || !query.isError) && (
        <FilterBar q={q} status={status} tag={tag} />
      )}

      {cameras === undefined ? (
        query.isError ? (
          <Refused
            refusal={refusalOf(query.error)}
            onRetry={() => void query.refetch()}
          />
        ) : (
          <Skeletons />
        )
      ) : cameras.length === 0 ? (
        <Empty filtered={filtered} writes={writes} />
      ) : (
        <Grid
          cameras={cameras}
          stale={query.isPlaceholderData}
          more={query.hasNextPage}
          loading={query.isFetchingNextPage}
          onMore={() => void query.fetchNextPage()}
        />
      )}
    </>
  );
}

function FilterBar({ q, status, tag }: Filter) {
  return (
    <div className="filter" role="search">
      <Search
        label="Search cameras"
        placeholder="Search name, place or serial number"
        value={q}
        onSearch={(text) =>
          go({ kind: "cameras", q: text, status, tag }, "replace")
        }
      />
      <div className="segments" role="group" aria-label="Status">
        {[undefined, ...STATUSES].map((one) => (
          <button
            key={one ?? "all"}
            type="button"
            aria-pressed={status === one}
            onClick={() => go({ kind: "cameras", q, status: one, tag })}
          >
            {one === undefined ? "All" : statusWords(one).word}
          </button>
        ))}
      </div>
      {tag !== undefined && (
        <Button
          icon="close"
          aria-label={`Not only those tagged ${tag}`}
          onClick={() => go({ kind: "cameras", q, status, tag: undefined })}
        >
          {tag}
        </Button>
      )}
    </div>
  );
}

interface GridProps {
  cameras: Camera[];
  stale: boolean;
  more: boolean;
  loading: boolean;
  onMore: () => void;
}

function Grid({ cameras, stale, more, loading, onMore }: GridProps) {
  return (
    <>
      <ul className="grid" data-stale={stale} aria-busy={stale}>
        {cameras.map((camera) => (
          <li key={camera.id}>
            <CameraCard camera={camera} />
          </li>
        ))}
      </ul>
      {more && <More loading={loading} onMore={onMore} />}
    </>
  );
}

/* the next page is asked for before its place is reached; the button is for
 * those who use no pointer */
function More({ loading, onMore }: Pick<GridProps, "loading" | "onMore">) {
  const ref = useRef<HTMLDivElement>(null);
  const ask = useRef(onMore);

  ask.current = onMore;

  useEffect(() => {
    const element = ref.current;

    if (element === null || loading) {
      return;
    }

    const observer = new IntersectionObserver(
      (entries) => {
        if (entries.some((entry) => entry.isIntersecting)) {
          ask.current();
        }
      },
      { rootMargin: "600px" },
    );

    observer.observe(element);
    return () => observer.disconnect();
  }, [loading]);

  return (
    <div className="more" ref={ref}>
      <Button busy={loading} onClick={onMore}>
        Show more
      </Button>
    </div>
  );
}

function Skeletons() {
  return (
    <ul className="grid" aria-busy="true" aria-label="Loading cameras">
      {Array.from({ length: SKELETONS }, (_, n) => (
        <li key={n}>
          <CameraCardSkeleton />
        </li>
      ))}
    </ul>
  );
}

function Empty({ filtered, writes }: { filtered: boolean; writes: boolean }) {
  if (filtered) {
    return (
      <Blank
        icon="search"
        title="No camera matches"
        tone="calm"
        actions={<Button onClick={() => go(HOME)}>Show all cameras</Button>}
      >
        <p>Search looks at name, location, place and serial number.</p>
      </Blank>
    );
  }

  return writes ? (
    <Blank
      icon="camera"
      title="Add your first camera"
      actions={
        <ButtonLink look="primary" icon="plus" href={href({ kind: "add" })}>
          Add camera
        </ButtonLink>
      }
    >
      <p>
        Name it, put one address into the camera, and see its picture here. It
        takes about two minutes.
      </p>
    </Blank>
  ) : (
    <Blank icon="camera" title="No cameras yet">
      <p>An administrator or operator has to add one first.</p>
    </Blank>
  );
}
