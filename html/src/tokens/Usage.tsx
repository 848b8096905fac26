/*
 * How much a token was used, a bar for each day, the part that was refused as
 * too many in another colour.  It is asked for when it is seen.
 */

import { useQuery } from "@tanstack/react-query";
import { useRef } from "react";
import { useServices } from "../app/services";
import { useSeen } from "../cameras/useSeen";
import { unwrap } from "../outcome";
import type { ApiTokenDay } from "../types";
import { dayWords, total, usageWords } from "./words";

const DAYS = 30;
const FRESH_MS = 60_000;
const HEIGHT = 20; // of the tallest bar, where a day is 1 wide
const LEAST = 1; // of a day with anything at all

export function Usage({ id }: { id: string }) {
  const { api } = useServices();
  const ref = useRef<HTMLDivElement>(null);
  const seen = useSeen(ref);
  const query = useQuery({
    queryKey: ["tokens", "usage", id],
    enabled: seen,
    staleTime: FRESH_MS,
    queryFn: async ({ signal }) =>
      unwrap(await api.tokens.usage(id, DAYS, signal)).value,
  });

  return (
    <div className="tokens-usage" ref={ref}>
      {query.data === undefined ? (
        <>
          <span className="tokens-plot" />
          <small>{query.isError ? "use is not known now" : "\u00a0"}</small>
        </>
      ) : (
        <>
          <Plot days={query.data} />
          <small aria-hidden="true">
            {total(query.data) === 0
              ? `not used in ${DAYS} days`
              : `${total(query.data).toLocaleString()} in ${DAYS} days`}
          </small>
        </>
      )}
    </div>
  );
}

function Plot({ days }: { days: readonly ApiTokenDay[] }) {
  const most = Math.max(1, ...days.map((one) => one.requests));
  const height = (n: number) =>
    n === 0 ? 0 : Math.max(LEAST, (n / most) * HEIGHT);

  return (
    <svg
      className="tokens-plot"
      viewBox={`0 0 ${days.length} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={usageWords(days)}
    >
      {days.map((one, n) => (
        <g key={one.date}>
          <title>{dayWords(one)}</title>
          <rect className="tokens-day" x={n} width="0.86" height={HEIGHT} />
          <Bar x={n} height={height(one.requests)} />
          <Bar x={n} height={height(one.limited)} limited />
        </g>
      ))}
    </svg>
  );
}

function Bar(props: { x: number; height: number; limited?: boolean }) {
  const { x, height, limited } = props;

  return height === 0 ? null : (
    <rect
      className={limited === true ? "tokens-limited" : "tokens-requests"}
      x={x}
      y={HEIGHT - height}
      width="0.86"
      height={height}
    />
  );
}
