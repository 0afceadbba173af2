import { signal } from "@preact/signals";

/** What follows `#` in the address. */
export const hash = signal(location.hash.slice(1));

const read = (): void => {
  hash.value = location.hash.slice(1);
};
addEventListener("hashchange", read);
addEventListener("popstate", read);
