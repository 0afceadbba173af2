// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test } from "vitest";
import { listenForPalette, openPalette, paletteOpen, typedEarly } from "./palette-keys";

let stop: () => void;
beforeEach(() => void (stop = listenForPalette()));
afterEach(() => {
  stop();
  paletteOpen.value = false;
  document.body.innerHTML = "";
});

function press(key: string, options: KeyboardEventInit = {}): KeyboardEvent {
  const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...options });
  document.body.dispatchEvent(event);
  return event;
}

test("Ctrl K opens and closes it, and the browser's own search stays away", () => {
  expect(press("k", { ctrlKey: true }).defaultPrevented).toBe(true);
  expect(paletteOpen.value).toBe(true);
  press("K", { ctrlKey: true });
  expect(paletteOpen.value).toBe(false);
  for (const keys of [{}, { metaKey: true }, { ctrlKey: true, shiftKey: true }, { ctrlKey: true, altKey: true }]) press("k", keys);
  expect(paletteOpen.value).toBe(false);
});

test("it is not opened over another dialog", () => {
  document.body.innerHTML = "<dialog open></dialog>";
  expect(press("k", { ctrlKey: true }).defaultPrevented).toBe(true);
  expect(paletteOpen.value).toBe(false);
});

test("what is typed before its field is there goes into the field, and to no shortcut", () => {
  openPalette();
  expect(press("e").defaultPrevented).toBe(true);
  press("x");
  expect(press("Enter").defaultPrevented).toBe(false);
  expect(typedEarly()).toBe("ex");
  expect(press("p").defaultPrevented).toBe(false);

  paletteOpen.value = false;
  expect(press("e").defaultPrevented).toBe(false);
  openPalette();
  expect(typedEarly()).toBe("");
});
