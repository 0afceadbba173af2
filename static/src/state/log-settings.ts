import { effect, signal, type Signal } from "@preact/signals";

/** How this reader likes logs, kept for the next one. */
export const wrap = kept("log-wrap", true);
export const times = kept("log-times", true);

function kept(name: string, first: boolean): Signal<boolean> {
  const choice = signal(first);
  try {
    choice.value = JSON.parse(localStorage.getItem(name) ?? String(first)) === true;
    effect(() => localStorage.setItem(name, String(choice.value)));
  } catch {
    // A browser may refuse storage, or hold what is no JSON: the choice then lasts as long as the page.
  }
  return choice;
}
