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

export interface Texts {
  read(key: string): string | null;
  write(key: string, text: string): void;
}

/** A browser may refuse storage; a text is then kept as long as the page. */
function textsIn(storage: () => Storage): Texts {
  const kept = new Map<string, string>();
  return {
    read(key) {
      try {
        return storage().getItem(key);
      } catch {
        return kept.get(key) ?? null;
      }
    },
    write(key, text) {
      try {
        storage().setItem(key, text);
      } catch {
        kept.set(key, text);
      }
    },
  };
}

const { read, write } = textsIn(() => localStorage);
/** Texts that stay in this browser. */
export const inBrowser: Texts = { read, write };
/** Texts that are forgotten when the tab is closed. */
export const inTab = textsIn(() => sessionStorage);

export type Switch = "off" | "on";
export const OFF_FIRST = ["off", "on"] as const;
export const ON_FIRST = ["on", "off"] as const;
