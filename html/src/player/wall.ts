/*
 * The clock on the wall against the time of a media element: a playlist of
 * recordings leaves out what was not recorded, and each piece of it says when
 * it was taken.
 */

export interface Piece {
  start: number; // seconds in the element
  duration: number;
  wall: number; // Unix milliseconds of its first picture
}

/*
 * Where in the element the moment is; what was not recorded leads to what
 * comes behind it.  Nothing behind the last piece.
 */
export function mediaAt(
  pieces: readonly Piece[],
  wall: number,
): number | undefined {
  const piece = pieces[count(pieces, (one) => end(one) <= wall)];

  return piece === undefined
    ? undefined
    : piece.start + Math.max(0, wall - piece.wall) / 1000;
}

/* which moment is shown */
export function wallAt(
  pieces: readonly Piece[],
  media: number,
): number | undefined {
  const piece = pieces[Math.max(0, count(pieces, (one) => one.start <= media) - 1)];

  return piece === undefined
    ? undefined
    : piece.wall +
        Math.min(Math.max(0, media - piece.start), piece.duration) * 1000;
}

function end(piece: Piece): number {
  return piece.wall + piece.duration * 1000;
}

/* how many pieces at the beginning are so */
function count(
  pieces: readonly Piece[],
  isSo: (piece: Piece) => boolean,
): number {
  let low = 0;
  let high = pieces.length;

  while (low < high) {
    const middle = (low + high) >> 1;
    const piece = pieces[middle];

    if (piece !== undefined && isSo(piece)) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }

  return low;
}
