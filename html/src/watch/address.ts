/*
 * Where the page finds what to play.
 *
 *     watch.html#/hls/{camera}/playlist.m3u8?token=...
 *
 * The signed address stands in the fragment: a browser sends it to nobody, so
 * the token is in no access log, no Referer and no proxy's history of this
 * page.  Only addresses of this very server are played, otherwise a link could
 * make the page show a stranger's stream under this host's name.
 */

export type Address =
  | { kind: "play"; url: string }
  | { kind: "missing" }
  | { kind: "foreign" };

export function readAddress(page: URL): Address {
  const text = page.hash.slice(1);

  if (text === "") {
    return { kind: "missing" };
  }

  let url: URL;

  try {
    url = new URL(text, page.origin);
  } catch {
    return { kind: "missing" };
  }

  if (url.origin !== page.origin) {
    return { kind: "foreign" };
  }

  return { kind: "play", url: url.href };
}
