/* A key for one attempt; pages without TLS have no randomUUID(). */

export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));

  return [...bytes].map((one) => one.toString(16).padStart(2, "0")).join("");
}
