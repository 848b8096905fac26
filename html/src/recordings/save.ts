/*
 * Hands a signed address to the browser's own downloads: a file may be larger
 * than memory.  It comes from this page's server, under whichever name that was
 * opened.
 */

export function save(url: string, name: string): void {
  const { pathname, search } = new URL(url, location.href);
  const link = document.createElement("a");

  link.href = pathname + search;
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
}
