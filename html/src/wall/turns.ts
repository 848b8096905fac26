/*
 * Whose turn it is to play: so many at a time, one after the other, those that
 * stand first on the wall before the others.
 *
 *   waiting  its turn comes in a moment [ask]
 *   playing  it has one, until it gives it back [grant]
 *   full     all turns are taken; it gets the next one that is given back
 */

export type Turn = "waiting" | "playing" | "full";

interface Entry {
  order: number;
  turn: Turn | undefined;
  tell: (turn: Turn) => void;
}

export const MOST = 16;
const APART_MS = 250;

export class Turns {
  private readonly entries = new Set<Entry>();
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly most = MOST,
    private readonly apartMs = APART_MS,
  ) {}

  /* answers what gives the turn back, or the wish for one */
  ask(order: number, tell: (turn: Turn) => void): () => void {
    const entry: Entry = { order, turn: undefined, tell };

    this.entries.add(entry);
    this.look();

    return () => {
      this.entries.delete(entry);
      this.look();
    };
  }

  private look(): void {
    const free = this.free();

    this.others().forEach((entry, n) => {
      this.set(entry, n < free ? "waiting" : "full");
    });

    if (free > 0 && this.others().length > 0) {
      this.timer ??= setTimeout(() => this.grant(), this.apartMs);
    }
  }

  private grant(): void {
    const [next] = this.others();

    this.timer = undefined;

    if (next !== undefined && this.free() > 0) {
      this.set(next, "playing");
    }

    this.look();
  }

  private set(entry: Entry, turn: Turn): void {
    if (entry.turn !== turn) {
      entry.turn = turn;
      entry.tell(turn);
    }
  }

  private free(): number {
    return this.most - (this.entries.size - this.others().length);
  }

  private others(): Entry[] {
    return [...this.entries]
      .filter(({ turn }) => turn !== "playing")
      .sort((a, b) => a.order - b.order);
  }
}
