/* API tokens: what they may do, how much they are used, and their end. */

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
import { useToast } from "../design/Toasts";
import { refusalOf, unwrap } from "../outcome";
import { HOME, href } from "../router";
import type { ApiToken } from "../types";
import { PermissionsDialog } from "./PermissionsDialog";
import { AddTokenDialog } from "./TokenDialog";
import { Usage } from "./Usage";
import {
  expiryWords,
  networkWords,
  PERMISSIONS,
  rateWords,
  stateWords,
  usedWords,
} from "./words";
import "./tokens.css";

interface Task {
  kind: "permissions" | "revoke";
  token: ApiToken;
}

export default function Tokens() {
  const [isActive, setActive] = useState<boolean | undefined>(true);
  const query = useTokens(isActive);
  const [adding, setAdding] = useState(false);
  const [task, setTask] = useState<Task>();
  const tokens = query.data?.pages.flatMap((page) => page.value);
  const add = (
    <Button look="primary" icon="plus" onClick={() => setAdding(true)}>
      Make token
    </Button>
  );

  return (
    <>
      <div className="screen-head camera-head">
        <a className="back" href={href(HOME)} aria-label="All cameras">
          <Icon name="back" size={20} />
        </a>
        <Title text="API tokens" />
        {tokens !== undefined && tokens.length > 0 && add}
      </div>
      {(tokens !== undefined || !query.isError) && (
        <Filter isActive={isActive} onChange={setActive} />
      )}
      {tokens === undefined ? (
        query.isError ? (
          <Refused
            refusal={refusalOf(query.error)}
            onRetry={() => void query.refetch()}
          />
        ) : (
          <div className="tokens" aria-busy="true" aria-label="Loading">
            <div className="card skeleton skeleton-details" />
          </div>
        )
      ) : tokens.length === 0 ? (
        <Empty isActive={isActive}>{add}</Empty>
      ) : (
        <div className="tokens">
          <ul
            className="card tokens-list"
            aria-label="API tokens"
            aria-busy={query.isPlaceholderData}
          >
            {tokens.map((token) => (
              <Row
                key={token.id}
                token={token}
                onTask={(kind) => setTask({ kind, token })}
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
      {adding && <AddTokenDialog onClose={() => setAdding(false)} />}
      {task?.kind === "permissions" && (
        <PermissionsDialog
          token={task.token}
          onClose={() => setTask(undefined)}
        />
      )}
      {task?.kind === "revoke" && (
        <RevokeToken token={task.token} onClose={() => setTask(undefined)} />
      )}
    </>
  );
}

function useTokens(isActive: boolean | undefined) {
  const { api } = useServices();

  return useInfiniteQuery({
    queryKey: ["tokens", "list", isActive],
    initialPageParam: undefined as string | undefined,
    queryFn: async ({ pageParam, signal }) =>
      unwrap(await api.tokens.list(isActive, pageParam, signal)),
    getNextPageParam: (page) => page.cursor,
    placeholderData: keepPreviousData,
  });
}

const STATES: readonly [boolean | undefined, string][] = [
  [true, "In use"],
  [false, "Revoked"],
  [undefined, "All"],
];

interface FilterProps {
  isActive: boolean | undefined;
  onChange: (isActive: boolean | undefined) => void;
}

function Filter({ isActive, onChange }: FilterProps) {
  return (
    <div className="filter">
      <div className="segments" role="group" aria-label="Which tokens">
        {STATES.map(([one, word]) => (
          <button
            key={word}
            type="button"
            aria-pressed={isActive === one}
            onClick={() => onChange(one)}
          >
            {word}
          </button>
        ))}
      </div>
    </div>
  );
}

interface EmptyProps {
  isActive: boolean | undefined;
  children: ReactNode;
}

function Empty({ isActive, children }: EmptyProps) {
  return isActive === false ? (
    <Blank icon="key" title="None was revoked" tone="calm" />
  ) : (
    <Blank icon="key" title="No API token is in use" actions={children}>
      <p>
        A token lets a program use the REST API without a password: it may do
        what you tick, for as long as you say.
      </p>
    </Blank>
  );
}

interface RowProps {
  token: ApiToken;
  onTask: (kind: Task["kind"]) => void;
}

function Row({ token, onTask }: RowProps) {
  const { word, tone } = stateWords(token);

  return (
    <li data-token={token.id}>
      <div className="tokens-name">
        <strong>{token.name}</strong>
        <span>
          <code>{token.prefix}…</code> of {token.username}
        </span>
        {token.remark !== null && <span>{token.remark}</span>}
      </div>
      <div className="tokens-facts">
        <ul aria-label="May do">
          {token.permissions.map((one) => (
            <li key={one} title={PERMISSIONS[one]}>
              {one === "*" ? PERMISSIONS[one] : one}
            </li>
          ))}
        </ul>
        <p>
          <span>{usedWords(token.lastUsedAt)}</span>
          <span>{expiryWords(token.expiresAt)}</span>
          <span>{rateWords(token)}</span>
          <span>{networkWords(token.allowedCidrs)}</span>
        </p>
      </div>
      <Usage id={token.id} />
      <span className="badge" data-tone={tone}>
        <i aria-hidden="true" />
        {word}
      </span>
      {token.isActive && (
        <Menu label={`Change ${token.name}`} button={<Icon name="more" />}>
          <MenuItem icon="edit" onClick={() => onTask("permissions")}>
            Permissions
          </MenuItem>
          <hr className="menu-line" />
          <MenuItem icon="stop" danger onClick={() => onTask("revoke")}>
            Revoke
          </MenuItem>
        </Menu>
      )}
    </li>
  );
}

interface RevokeProps {
  token: ApiToken;
  onClose: () => void;
}

function RevokeToken({ token, onClose }: RevokeProps) {
  const { api } = useServices();
  const client = useQueryClient();
  const say = useToast();

  return (
    <Confirm
      title={`Revoke ${token.name}?`}
      action="Revoke token"
      what="token"
      onClose={onClose}
      work={() => api.tokens.revoke(token.id)}
      onDone={() => {
        void client.invalidateQueries({ queryKey: ["tokens"] });
        say(`${token.name} was revoked.`);
        onClose();
      }}
    >
      <p className="dialog-text">
        <b>{token.name}</b> begins with <code>{token.prefix}</code>, belongs to{" "}
        {token.username} and was {usedWords(token.lastUsedAt)}.
      </p>
      <ul className="facts">
        <Consequence icon="stop">
          What uses it is refused at once, for good.
        </Consequence>
        <Consequence icon="camera-off">
          Pictures and streams that it opened end.
        </Consequence>
        <Consequence icon="eye">It stays in the list of revoked ones.</Consequence>
      </ul>
    </Confirm>
  );
}
