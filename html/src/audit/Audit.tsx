/* Who did what, the newest first, and what was there before and after. */

import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { AuditFilter } from "../api";
import { useServices } from "../app/services";
import { Title } from "../app/Title";
import { Button } from "../design/Button";
import { Icon } from "../design/Icon";
import { Blank, Refused } from "../design/Notice";
import { refusalOf, unwrap } from "../outcome";
import { HOME, href } from "../router";
import type { AuditLogEntry, AuditResult } from "../types";
import { changes, details, objectWords } from "./words";
import "./audit.css";

export default function Audit() {
  const [filter, setFilter] = useState<AuditFilter>({});
  const query = useAudit(filter);
  const entries = query.data?.pages.flatMap((page) => page.value);

  return (
    <>
      <div className="screen-head camera-head">
        <a className="back" href={href(HOME)} aria-label="All cameras">
          <Icon name="back" size={20} />
        </a>
        <Title text="Audit" />
      </div>
      <Filter filter={filter} onChange={setFilter} />
      {entries === undefined ? (
        query.isError ? (
          <Refused
            refusal={refusalOf(query.error)}
            onRetry={() => void query.refetch()}
          />
        ) : (
          <div className="audit" aria-busy="true" aria-label="Loading">
            <div className="card skeleton skeleton-details" />
          </div>
        )
      ) : entries.length === 0 ? (
        <Blank icon="search" title="There are no such entries" />
      ) : (
        <div className="audit">
          <ol className="card audit-entries" aria-label="Entries">
            {entries.map((entry) => (
              <Entry key={entry.id} entry={entry} />
            ))}
          </ol>
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
    </>
  );
}

function useAudit(filter: AuditFilter) {
  const { api } = useServices();

  return useInfiniteQuery({
    queryKey: ["audit", filter],
    initialPageParam: undefined as string | undefined,
    queryFn: async ({ pageParam, signal }) =>
      unwrap(await api.audit(filter, pageParam, signal)),
    getNextPageParam: (page) => page.cursor,
    placeholderData: keepPreviousData,
  });
}

const RESULTS: readonly AuditResult[] = ["ok", "denied", "failed"];

interface FilterProps {
  filter: AuditFilter;
  onChange: (filter: AuditFilter) => void;
}

/* an action is whole or none: what is typed counts when it is finished */
function Filter({ filter, onChange }: FilterProps) {
  const [action, setAction] = useState("");

  return (
    <form
      className="audit-filter"
      onSubmit={(event) => {
        event.preventDefault();
        onChange({ ...filter, action: action.trim() || undefined });
      }}
    >
      <label>
        <span>Action</span>
        <input
          value={action}
          placeholder="camera.update"
          onChange={(event) => setAction(event.target.value)}
        />
      </label>
      <label>
        <span>Result</span>
        <select
          value={filter.result ?? ""}
          onChange={(event) =>
            onChange({
              ...filter,
              result: RESULTS.find((one) => one === event.target.value),
            })
          }
        >
          <option value="">all</option>
          {RESULTS.map((one) => (
            <option key={one}>{one}</option>
          ))}
        </select>
      </label>
      <Button type="submit">Filter</Button>
    </form>
  );
}

function Entry({ entry }: { entry: AuditLogEntry }) {
  const list = changes(entry);
  const more = details(entry);

  return (
    <li>
      <div className="audit-line">
        <time dateTime={entry.at}>{new Date(entry.at).toLocaleString()}</time>
        <strong>{entry.actor}</strong>
        <code>{entry.action}</code>
        <span>{objectWords(entry)}</span>
        {entry.count > 1 && <span>{entry.count} times</span>}
        {entry.result !== "ok" && (
          <span className="audit-refused">{entry.code ?? entry.result}</span>
        )}
        <span className="audit-from">{entry.address}</span>
      </div>
      {more !== "" && <p className="audit-details">{more}</p>}
      {list.length > 0 && (
        <details>
          <summary>{list.length} fields</summary>
          <dl>
            {list.map(({ name, from, to }) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd>
                  {from !== undefined && <del>{from}</del>}
                  {from !== undefined && to !== undefined && " → "}
                  {to !== undefined && <ins>{to}</ins>}
                </dd>
              </div>
            ))}
          </dl>
        </details>
      )}
    </li>
  );
}
