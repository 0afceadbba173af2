import { signal } from "@preact/signals";

/** Of systems of Apple, where Ctrl has other meanings in a text. */
const isApple = /mac|iphone|ipad/i.test(navigator.platform);

/** The keys that open the palette, as the `?` page writes them. */
export const PALETTE_KEYS = isApple ? "⌘ K" : "Ctrl K";

/** Whether the palette is open. */
export const paletteOpen = signal(false);

/** What is typed before the field of the palette is there: its code may have to be loaded. Null: the field has the keys. */
let early: string | null = "";
paletteOpen.subscribe((open) => {
  if (!open) early = "";
});

/** Returns what was typed before the field was there, which has the keys from now on. */
export function typedEarly(): string {
  const text = early ?? "";
  early = null;
  return text;
}

/** Over another dialog nothing is opened: that one is answered first. */
export const openPalette = (): void => {
  if (!document.querySelector("dialog[open]")) paletteOpen.value = true;
};

/** Listens for the keys of the palette, also in fields; returns a function that stops it. */
export function listenForPalette(): () => void {
  const pressed = (event: KeyboardEvent): void => {
    const { key, altKey, shiftKey, ctrlKey, metaKey } = event;
    if (paletteOpen.value && early !== null && key.length === 1 && !ctrlKey && !metaKey) {
      early += key;
      event.preventDefault();
      return event.stopImmediatePropagation();
    }
    if (key.toLowerCase() !== "k" || altKey || shiftKey || ctrlKey === metaKey || metaKey !== isApple) return;
    // Otherwise the browser would go to its own search.
    event.preventDefault();
    if (paletteOpen.value) paletteOpen.value = false;
    else openPalette();
  };
  document.addEventListener("keydown", pressed, true);
  return () => document.removeEventListener("keydown", pressed, true);
}
