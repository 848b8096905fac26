/* Sets of what somebody has ticked. */

export function toggled<T>(all: ReadonlySet<T>, one: T): Set<T> {
  const next = new Set(all);

  if (!next.delete(one)) {
    next.add(one);
  }

  return next;
}

interface Difference<T> {
  added: T[];
  removed: T[];
}

export function difference<T>(
  before: ReadonlySet<T>,
  after: ReadonlySet<T>,
): Difference<T> {
  return {
    added: [...after].filter((one) => !before.has(one)),
    removed: [...before].filter((one) => !after.has(one)),
  };
}
