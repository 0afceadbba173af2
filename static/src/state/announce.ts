import { signal } from "@preact/signals";

/** What screen readers are told next; shown by the one live region of the page. */
export const announced = signal("");

/** Says it politely, also when it was the last thing said: only a changed text is read out. */
export function announce(text: string): void {
  announced.value = text === announced.peek() ? `${text}\u00a0` : text;
}
