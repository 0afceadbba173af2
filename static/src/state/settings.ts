import { signal, type Signal } from "@preact/signals";

/** A choice of this browser's, the same in all its tabs. What is stored and is none of `choices` counts as the first. */
export function setting<Choice extends string>(name: string, choices: readonly [Choice, ...Choice[]]): Signal<Choice> {
  const key = `taskroom.${name}`;
  const known = (text: string | null): Choice => choices.find((choice) => choice === text) ?? choices[0];
  const chosen = signal(known(read(key)));
  chosen.subscribe((choice) => {
    if (choice !== known(read(key))) write(key, choice);
  });
  addEventListener("storage", (event) => {
    if (event.key === key || event.key === null) chosen.value = known(read(key));
  });
  return chosen;
}

/** A text that this browser remembers; empty before it is first set. */
export function remembered(name: string): Signal<string> {
  const key = `taskroom.${name}`;
  const text = signal(read(key) ?? "");
  text.subscribe((value) => {
    if (value !== (read(key) ?? "")) write(key, value);
  });
  return text;
}

// A browser may refuse storage altogether; a choice then lasts as long as the page.
const kept = new Map<string, string>();

function read(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return kept.get(key) ?? null;
  }
}

function write(key: string, text: string): void {
  try {
    localStorage.setItem(key, text);
  } catch {
    kept.set(key, text);
  }
}

export type Switch = "off" | "on";
export const OFF_FIRST = ["off", "on"] as const;
export const ON_FIRST = ["on", "off"] as const;
