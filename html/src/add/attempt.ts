/* A key for one attempt; pages without TLS have no randomUUID(). */

import { useRef } from "react";

export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));

  return [...bytes].map((one) => one.toString(16).padStart(2, "0")).join("");
}

/* the same for the same body: what is sent again unchanged is done once */
export function useKey(): (body: unknown) => string {
  const attempt = useRef({ body: "", key: "" });

  return (body) => {
    const text = JSON.stringify(body);

    if (attempt.current.body !== text) {
      attempt.current = { body: text, key: newKey() };
    }

    return attempt.current.key;
  };
}
