import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";

/** One shortcut. `keys`: "n", "N", "?", or two in a row: "g g". */
export interface Shortcut {
  keys: string;
  says: string;
  run: () => void;
}

export interface ShortcutGroup {
  name: string;
  shortcuts: readonly Shortcut[];
}

/** What may be pressed on the page as it stands; the `?` page lists it. */
export const shortcutGroups = signal<readonly ShortcutGroup[]>([]);

/** Adds a group of shortcuts for as long as the component is there. */
export function useShortcuts(name: string, shortcuts: readonly Shortcut[]): void {
  useEffect(() => {
    const group = { name, shortcuts };
    shortcutGroups.value = [...shortcutGroups.value, group];
    return () => {
      shortcutGroups.value = shortcutGroups.value.filter((other) => other !== group);
    };
  }, [name, shortcuts]);
}
