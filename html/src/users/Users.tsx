/* Who may log in, what they may do, and what an administrator does about it. */

import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useServices, useUser } from "../app/services";
import { Title } from "../app/Title";
import { Button } from "../design/Button";
import { Icon } from "../design/Icon";
import { Menu, MenuItem } from "../design/Menu";
import { Blank, Refused } from "../design/Notice";
import { Search } from "../design/Search";
import { refusalOf, unwrap } from "../outcome";
import { go, HOME, href } from "../router";
import type { Account } from "../types";
import { GrantsDialog } from "./GrantsDialog";
import { RemoveUserDialog } from "./RemoveUserDialog";
import { ResetDialog } from "./ResetDialog";
import { SessionsDialog } from "./SessionsDialog";
import { AddUserDialog, EditUserDialog } from "./UserDialog";
import { roleName } from "./form";
import "./users.css";

interface Task {
  kind: "edit" | "reset" | "sessions" | "grants" | "remove";
  account: Account;
}

export default function Users({ q }: { q: string }) {
  const query = useUsers(q);
  const [adding, setAdding] = useState(false);
  const [task, setTask] = useState<Task>();
  const users = query.data?.pages.flatMap((page) => page.value);

  return (
    <>
      <div className="screen-head camera-head">
        <a className="back" href={href(HOME)} aria-label="All cameras">
          <Icon name="back" size={20} />
        </a>
        <Title text="Users" />
        {users !== undefined && (
          <Button look="primary" icon="plus" onClick={() => setAdding(true)}>
            Add user
          </Button>
        )}
      </div>
      {(users !== undefined || !query.isError) && (
        <div className="filter" role="search">
          <Search
            label="Search users"
            placeholder="Search name or e-mail"
            value={q}
            onSearch={(text) => go({ kind: "users", q: text }, "replace")}
          />
        </div>
      )}
      {users === undefined ? (
        query.isError ? (
          <Refused
            refusal={refusalOf(query.error)}
            onRetry={() => void query.refetch()}
          />
        ) : (
          <div className="users" aria-busy="true" aria-label="Loading">
            <div className="card skeleton skeleton-details" />
          </div>
        )
      ) : users.length === 0 ? (
        <Blank
          icon="search"
          title="No user matches"
          tone="calm"
          actions={
            <Button onClick={() => go({ kind: "users", q: "" })}>
              Show all users
            </Button>
          }
        />
      ) : (
        <div className="users">
          <ul
            className="card users-list"
            aria-label="Users"
            aria-busy={query.isPlaceholderData}
          >
            {users.map((account) => (
              <Row
                key={account.id}
                account={account}
                onTask={(kind) => setTask({ kind, account })}
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
      {adding && <AddUserDialog onClose={() => setAdding(false)} />}
      {task !== undefined && (
        <TaskDialog task={task} onClose={() => setTask(undefined)} />
      )}
    </>
  );
}

function useUsers(q: string) {
  const { api } = useServices();

  return useInfiniteQuery({
    queryKey: ["users", "list", q],
    initialPageParam: undefined as string | undefined,
    queryFn: async ({ pageParam, signal }) =>
      unwrap(await api.users.list(q, pageParam, signal)),
    getNextPageParam: (page) => page.cursor,
    placeholderData: keepPreviousData,
  });
}

interface RowProps {
  account: Account;
  onTask: (kind: Task["kind"]) => void;
}

function called({ name, email }: Account): string {
  return [name, email].filter((one) => one !== null).join(" · ");
}

/* one's own role and password are not changed here: the server refuses it */
function Row({ account, onTask }: RowProps) {
  const self = useUser().id === account.id;

  return (
    <li data-user={account.username}>
      <span className="users-name">
        <strong>{account.username}</strong>
        <small>{self ? "you" : called(account)}</small>
      </span>
      <span>{roleName(account.role)}</span>
      <span>{stateWords(account)}</span>
      <span className="users-seen">
        {account.lastLoginAt === null
          ? "never logged in"
          : `last ${new Date(account.lastLoginAt).toLocaleString()}`}
      </span>
      <Menu label={`Change ${account.username}`} button={<Icon name="more" />}>
        {!self && (
          <>
            <MenuItem icon="edit" onClick={() => onTask("edit")}>
              Edit
            </MenuItem>
            <MenuItem icon="key" onClick={() => onTask("reset")}>
              Reset password
            </MenuItem>
            <MenuItem icon="camera" onClick={() => onTask("grants")}>
              Granted cameras
            </MenuItem>
          </>
        )}
        <MenuItem icon="clock" onClick={() => onTask("sessions")}>
          Sessions
        </MenuItem>
        {!self && (
          <>
            <hr className="menu-line" />
            <MenuItem icon="trash" danger onClick={() => onTask("remove")}>
              Remove user
            </MenuItem>
          </>
        )}
      </Menu>
    </li>
  );
}

function TaskDialog({ task, onClose }: { task: Task; onClose: () => void }) {
  const { kind, account } = task;

  switch (kind) {
    case "edit":
      return <EditUserDialog account={account} onClose={onClose} />;
    case "reset":
      return <ResetDialog account={account} onClose={onClose} />;
    case "grants":
      return <GrantsDialog account={account} onClose={onClose} />;
    case "sessions":
      return <SessionsDialog account={account} onClose={onClose} />;
    case "remove":
      return <RemoveUserDialog account={account} onClose={onClose} />;
  }
}

function stateWords(account: Account): string {
  const scope =
    account.cameraScope === "granted" ? "granted cameras" : "all cameras";

  return account.isActive ? scope : "disabled";
}
