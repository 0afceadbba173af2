import { signal } from "@preact/signals";

/** The text of the one live region of the page, which screen readers read out. */
export const announced = signal("");

/** Announces a text to screen readers. Only a changed text is read out, so a repeated one gets a space more. */
export function announce(text: string): void {
  announced.value = text === announced.peek() ? `${text}\u00a0` : text;
}
