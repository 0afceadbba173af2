import { signal, type Signal } from "@preact/signals";

/** The widths at which the style sheets change the layout. */
export const narrow = matching("(max-width: 719px)");
export const wide = matching("(min-width: 1100px)");

function matching(query: string): Signal<boolean> {
  const list = matchMedia(query);
  const matches = signal(list.matches);
  list.addEventListener("change", () => (matches.value = list.matches));
  return matches;
}
