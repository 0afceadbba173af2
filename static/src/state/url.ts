export const pathOf = (at: string): string => at.split(/[?#]/)[0] as string;

export const paramsOf = (at: string): URLSearchParams => new URLSearchParams(at.split("?")[1] ?? "");

/** Joins a path and a query, which may be empty. */
export const withQuery = (path: string, query: URLSearchParams): string => (query.size ? `${path}?${query}` : path);

/** Returns path, query and hash of an address of this origin; null where it is of another, or only looks like this one. */
export function ownPath(to: string): string | null {
  const url = URL.canParse(to, location.origin) ? new URL(to, location.origin) : null;
  // A path that begins with two slashes would be another host if it were used as an address.
  if (url?.origin !== location.origin || url.pathname.startsWith("//")) return null;
  return url.pathname + url.search + url.hash;
}
