/*
 * Whether the server was there when it was last asked.  A screen that has
 * something to show keeps it, and the shell says above it that it may be old.
 */

import type { Outcome } from "../outcome";

export class Reach {
  private away = false;
  private readonly listeners = new Set<() => void>();

  note(outcome: Outcome<unknown>): void {
    const away = outcome.kind === "away";

    if (away !== this.away) {
      this.away = away;
      this.listeners.forEach((listener) => listener());
    }
  }

  readonly isAway = (): boolean => this.away;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };
}
