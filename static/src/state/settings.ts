import { signal, type Signal } from "@preact/signals";

/** Makes a choice that this browser stores, the same in all its tabs. A stored value that is no choice counts as the first. */
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

/** Makes a text that this browser stores; it is empty before it is first set. */
export function storedText(name: string): Signal<string> {
  const key = `taskroom.${name}`;
  const text = signal(read(key) ?? "");
  text.subscribe((value) => {
    if (value !== (read(key) ?? "")) write(key, value);
  });
  return text;
}

// A browser may refuse storage; a choice is then kept as long as the page.
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
