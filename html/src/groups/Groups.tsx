/* Groups of cameras, which are granted to users as a whole. */

import {
  keepPreviousData,
  useInfiniteQuery,
  useQueryClient,
} from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { useServices } from "../app/services";
import { Title } from "../app/Title";
import { Button } from "../design/Button";
import { Confirm, Consequence } from "../design/Confirm";
import { Icon } from "../design/Icon";
import { Menu, MenuItem } from "../design/Menu";
import { Blank, Refused } from "../design/Notice";
import { Search } from "../design/Search";
import { useToast } from "../design/Toasts";
import { refusalOf, unwrap } from "../outcome";
import { go, HOME, href } from "../router";
import type { CameraGroup } from "../types";
import { GroupCamerasDialog } from "./GroupCamerasDialog";
import { AddGroupDialog, EditGroupDialog } from "./GroupDialog";
import { camerasWords } from "./words";
import "./groups.css";

interface Task {
  kind: "edit" | "cameras" | "remove";
  group: CameraGroup;
}

export default function Groups({ q }: { q: string }) {
  const query = useGroups(q);
  const [adding, setAdding] = useState(false);
  const [task, setTask] = useState<Task>();
  const groups = query.data?.pages.flatMap((page) => page.value);
  const empty = groups?.length === 0 && q === "";
  const add = (
    <Button look="primary" icon="plus" onClick={() => setAdding(true)}>
      Add group
    </Button>
  );

  return (
    <>
      <div className="screen-head camera-head">
        <a className="back" href={href(HOME)} aria-label="All cameras">
          <Icon name="back" size={20} />
        </a>
        <Title text="Camera groups" />
        {groups !== undefined && !empty && add}
      </div>
      {!empty && (groups !== undefined || !query.isError) && (
        <div className="filter" role="search">
          <Search
            label="Search groups"
            placeholder="Search name"
            value={q}
            onSearch={(text) => go({ kind: "groups", q: text }, "replace")}
          />
        </div>
      )}
      {groups === undefined ? (
        query.isError ? (
          <Refused
            refusal={refusalOf(query.error)}
            onRetry={() => void query.refetch()}
          />
        ) : (
          <div className="groups" aria-busy="true" aria-label="Loading">
            <div className="card skeleton skeleton-details" />
          </div>
        )
      ) : groups.length === 0 ? (
        <Empty filtered={!empty}>{add}</Empty>
      ) : (
        <div className="groups">
          <ul
            className="card groups-list"
            aria-label="Groups"
            aria-busy={query.isPlaceholderData}
          >
            {groups.map((group) => (
              <Row
                key={group.id}
                group={group}
                onTask={(kind) => setTask({ kind, group })}
              />
            ))}
          </ul>
          {query.hasNextPage && (
            <Button
              busy={query.isFetchingNextPage}
              onClick={() => void query.fetchNextPage()}
            >
              Show more
            </Button>
          )}
        </div>
      )}
      {adding && <AddGroupDialog onClose={() => setAdding(false)} />}
      {task !== undefined && (
        <TaskDialog task={task} onClose={() => setTask(undefined)} />
      )}
    </>
  );
}

function useGroups(q: string) {
  const { api } = useServices();

  return useInfiniteQuery({
    queryKey: ["groups", "list", q],
    initialPageParam: undefined as string | undefined,
    queryFn: async ({ pageParam, signal }) =>
      unwrap(await api.groups.list(q, pageParam, signal)),
    getNextPageParam: (page) => page.cursor,
    placeholderData: keepPreviousData,
  });
}

function Empty(props: { filtered: boolean; children: ReactNode }) {
  return props.filtered ? (
    <Blank
      icon="search"
      title="No group matches"
      tone="calm"
      actions={
        <Button onClick={() => go({ kind: "groups", q: "" })}>
          Show all groups
        </Button>
      }
    />
  ) : (
    <Blank icon="stack" title="No groups yet" actions={props.children}>
      <p>
        A group is granted to a user as a whole: whoever sees it, sees each
        camera that is put into it later.
      </p>
    </Blank>
  );
}

interface RowProps {
  group: CameraGroup;
  onTask: (kind: Task["kind"]) => void;
}

function Row({ group, onTask }: RowProps) {
  return (
    <li data-group={group.id}>
      <span className="groups-name">
        <strong>{group.name}</strong>
        {group.description !== "" && <small>{group.description}</small>}
      </span>
      <Button small onClick={() => onTask("cameras")}>
        {camerasWords(group.cameraCount)}
      </Button>
      <Menu label={`Change ${group.name}`} button={<Icon name="more" />}>
        <MenuItem icon="camera" onClick={() => onTask("cameras")}>
          Cameras
        </MenuItem>
        <MenuItem icon="edit" onClick={() => onTask("edit")}>
          Edit
        </MenuItem>
        <hr className="menu-line" />
        <MenuItem icon="trash" danger onClick={() => onTask("remove")}>
          Remove group
        </MenuItem>
      </Menu>
    </li>
  );
}

function TaskDialog({ task, onClose }: { task: Task; onClose: () => void }) {
  const { kind, group } = task;

  switch (kind) {
    case "edit":
      return <EditGroupDialog group={group} onClose={onClose} />;
    case "cameras":
      return <GroupCamerasDialog group={group} onClose={onClose} />;
    case "remove":
      return <RemoveGroup group={group} onClose={onClose} />;
  }
}

interface RemoveProps {
  group: CameraGroup;
  onClose: () => void;
}

function RemoveGroup({ group, onClose }: RemoveProps) {
  const { api } = useServices();
  const client = useQueryClient();
  const say = useToast();

  return (
    <Confirm
      title={`Remove ${group.name}?`}
      action="Remove group"
      what="group"
      onClose={onClose}
      work={() => api.groups.remove(group.id)}
      onDone={() => {
        void client.invalidateQueries({ queryKey: ["groups"] });
        say(`${group.name} was removed.`);
        onClose();
      }}
    >
      <ul className="facts">
        <Consequence icon="camera">Its cameras stay.</Consequence>
        <Consequence icon="eye-off">
          Whoever sees them by this group alone sees them no longer.
        </Consequence>
      </ul>
    </Confirm>
  );
}
