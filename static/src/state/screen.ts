import { signal, type Signal } from "@preact/signals";

/** Whether the page is as narrow as the style sheets lay it out for a phone. */
export const narrow = matching("(max-width: 719px)");

function matching(query: string): Signal<boolean> {
  const list = matchMedia(query);
  const matches = signal(list.matches);
  list.addEventListener("change", () => (matches.value = list.matches));
  return matches;
}
