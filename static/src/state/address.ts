import { signal } from "@preact/signals";

const pathAndQuery = (): string => location.pathname + location.search;
const fragment = (): string => location.hash.slice(1);

/** The path and query of the page. */
export const address = signal(pathAndQuery());
/** The part of the address after `#`. */
export const hash = signal(fragment());

function read(): void {
  address.value = pathAndQuery();
  hash.value = fragment();
}
addEventListener("popstate", read);
addEventListener("hashchange", read);

/** Goes to an address of this dashboard. `replace`: without a new entry in the history. The entry keeps its state, where
 * the page of a shared run has its token. */
export function go(to: string, replace = false): void {
  history[replace ? "replaceState" : "pushState"](history.state, "", to);
  read();
}
