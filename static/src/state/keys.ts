import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { ON_FIRST, setting, type Switch } from "./settings";

/** One shortcut. `keys`: "n", "N", "?", or two in a row: "g g". */
export interface Shortcut {
  keys: string;
  description: string;
  run: () => void;
}

interface ShortcutGroup {
  name: string;
  shortcuts: readonly Shortcut[];
}

/** The group of shortcuts that every page has. The shortcuts of a page come before it. */
export const EVERYWHERE = "Everywhere";

/** The shortcuts of the page that is shown; the `?` page lists them. */
export const shortcutGroups = signal<readonly ShortcutGroup[]>([]);

/** Single keys are in the way of users who dictate or whose hands shake, so they can be switched off. */
export const keysOn = setting<Switch>("keys", ON_FIRST);

/** Adds a group of shortcuts while the component is mounted. */
export function useShortcuts(name: string, shortcuts: readonly Shortcut[]): void {
  useEffect(() => {
    const group = { name, shortcuts };
    shortcutGroups.value = [...shortcutGroups.value, group];
    return () => {
      shortcutGroups.value = shortcutGroups.value.filter((other) => other !== group);
    };
  }, [name, shortcuts]);
}

/** Returns the groups that are in effect: each name and each key once, "Everywhere" last. */
export function effective(groups: readonly ShortcutGroup[]): ShortcutGroup[] {
  const names = [...new Set(groups.map(({ name }) => name).filter((name) => name !== EVERYWHERE)), EVERYWHERE];
  const taken = new Set<string>();
  return names
    .map((name) => ({
      name,
      shortcuts: groups
        .filter((group) => group.name === name)
        .flatMap(({ shortcuts }) => shortcuts)
        .filter(({ keys }) => !taken.has(keys) && taken.add(keys)),
    }))
    .filter(({ shortcuts }) => shortcuts.length > 0);
}

const SECOND_KEY_MS = 1_000;
const TYPING = "input, textarea, dialog, [contenteditable]:not([contenteditable=false])";

/** Listens for shortcuts; returns a function that stops it. */
export function listenToKeys(): () => void {
  let first = "";
  let at = 0;

  const pressed = (event: KeyboardEvent): void => {
    if (keysOn.value === "off" || event.defaultPrevented || event.isComposing || event.key.length !== 1) return;
    // `key` includes shift already: "?" and "G".
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target instanceof Element && event.target.closest(TYPING)) return;
    const all = effective(shortcutGroups.value).flatMap(({ shortcuts }) => shortcuts);
    // The time of the key itself: a busy page may hear of it later.
    const before = event.timeStamp - at <= SECOND_KEY_MS ? first : "";
    first = "";
    const shortcut =
      (before && all.find(({ keys }) => keys === `${before} ${event.key}`)) ||
      all.find(({ keys }) => keys === event.key);
    if (shortcut) {
      // The key must not be typed into a field that the shortcut focuses.
      event.preventDefault();
      shortcut.run();
    } else if (all.some(({ keys }) => keys.startsWith(`${event.key} `))) {
      first = event.key;
      at = event.timeStamp;
    }
  };

  document.addEventListener("keydown", pressed);
  return () => document.removeEventListener("keydown", pressed);
}
