/*
 * Still pictures of cameras, renewed while somebody sees them.
 *
 * A browser has six connections for a server and live video wants some, so at
 * most three pictures are fetched at a time.  The newest of each camera is
 * kept until the user leaves: going back to the list shows it at once.
 */

import { useEffect, useState } from "react";
import { useServices } from "../app/services";

const EVERY_MS = 5000;
const AFTER_FAILURE_MS = 10_000;
const AT_A_TIME = 3;

const kept = new Map<string, string>();
const queue: (() => void)[] = [];
let running = 0;

export function forgetPosters(): void {
  kept.forEach((url) => URL.revokeObjectURL(url));
  kept.clear();
}

export interface Poster {
  url: string | undefined; // of the newest picture
  failed: boolean; // to get a newer one
}

/* renewed while `on` */
export function usePoster(id: string, width: number, on: boolean): Poster {
  const { api } = useServices();
  const [url, setUrl] = useState(() => kept.get(id));
  const [failed, setFailed] = useState(false);

  useEffect(() => {
    if (!on) {
      return;
    }

    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;

    const renew = async () => {
      const outcome = await inTurn(() =>
        api.snapshot(id, width, abort.signal),
      );

      if (outcome.kind === "ok") {
        const next = await decoded(outcome.value);

        if (abort.signal.aborted) {
          URL.revokeObjectURL(next);
          return;
        }

        keep(id, next);
        setUrl(next);
      }

      setFailed(outcome.kind !== "ok");

      if (outcome.kind === "denied") {
        return;
      }

      timer = setTimeout(
        () => void renew().catch(ignore),
        outcome.kind === "ok" ? EVERY_MS : AFTER_FAILURE_MS,
      );
    };

    renew().catch(ignore);

    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [api, id, width, on]);

  return { url, failed };
}

/* the request was aborted: nobody waits for it */
function ignore(): void {}

async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  if (running >= AT_A_TIME) {
    await new Promise<void>((resolve) => queue.push(resolve));
  }

  running++;

  try {
    return await work();
  } finally {
    running--;
    queue.shift()?.();
  }
}

/* shown only when it can be painted, so that the picture before never flickers */
async function decoded(blob: Blob): Promise<string> {
  const url = URL.createObjectURL(blob);
  const image = new Image();

  image.src = url;
  await image.decode().catch(ignore);
  return url;
}

function keep(id: string, url: string): void {
  const before = kept.get(id);

  kept.set(id, url);

  if (before !== undefined) {
    setTimeout(() => URL.revokeObjectURL(before), 1000);
  }
}
