/* A grid as a picture: a row in each text, a camera in each letter. */

import type { Grid } from "../src/wall/grid";

export function drawn({ columns, rows, cells }: Grid): string[] {
  return Array.from({ length: rows }, (_, y) =>
    Array.from(
      { length: columns },
      (_, x) =>
        cells.find(
          (one) =>
            one.x <= x &&
            x < one.x + one.width &&
            one.y <= y &&
            y < one.y + one.height,
        )?.cameraId ?? ".",
    ).join(""),
  );
}
