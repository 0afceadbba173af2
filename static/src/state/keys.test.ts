// @vitest-environment happy-dom
import { act, cleanup, renderHook } from "@testing-library/preact";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { effective, keysOn, listenToKeys, shortcutGroups, useShortcuts } from "./keys";

let pressed: string[] = [];
let stop: () => void;
const shortcuts = (...names: string[]) =>
  names.map((name) => {
    const [keys = "", description = keys] = name.split(":");
    return { keys, description, run: () => void pressed.push(description) };
  });
const press = (keys: string, init: KeyboardEventInit = {}, on: Element = document.body): KeyboardEvent[] =>
  [...keys].map((key) => {
    const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...init });
    on.dispatchEvent(event);
    return event;
  });

beforeEach(() => {
  vi.useFakeTimers();
  pressed = [];
  stop = listenToKeys();
});
afterEach(() => {
  cleanup();
  stop();
  vi.useRealTimers();
  shortcutGroups.value = [];
  keysOn.value = "on";
  document.body.replaceChildren();
});

test("keys run their shortcut for as long as its component is there, and are not typed", () => {
  const some = shortcuts("n", "N");
  const { unmount } = renderHook(() => useShortcuts("Log", some));
  const [event] = press("nN");
  expect(pressed).toEqual(["n", "N"]);
  expect(event?.defaultPrevented).toBe(true);
  act(() => unmount());
  press("n");
  expect(pressed).toEqual(["n", "N"]);
});

test("two keys in a row count within a second", () => {
  renderHook(() => useShortcuts("Log", shortcutsOnce));
  press("gg");
  press("g");
  vi.advanceTimersByTime(1_001);
  press("g");
  press("r");
  press("gxr");
  expect(pressed).toEqual(["g g", "g r"]);
});
const shortcutsOnce = shortcuts("g g", "g r");

test("a page goes before everywhere, and what it hides is not listed", () => {
  shortcutGroups.value = [
    { name: "Everywhere", shortcuts: shortcuts("/:everywhere", "?") },
    { name: "Log", shortcuts: shortcuts("/:log", "f") },
  ];
  press("/f?");
  expect(pressed).toEqual(["log", "f", "?"]);
  const listed = effective(shortcutGroups.value).map(({ name, shortcuts: of }) => [name, of.map(({ description }) => description)]);
  expect(listed).toEqual([
    ["Log", ["log", "f"]],
    ["Everywhere", ["?"]],
  ]);
});

test("typing, dialogs and modifiers are left alone", () => {
  shortcutGroups.value = [{ name: "Log", shortcuts: shortcuts("n") }];
  for (const tag of ["input", "textarea", "dialog", "div"]) {
    const element = document.createElement(tag);
    if (tag === "div") element.setAttribute("contenteditable", "true");
    document.body.append(element);
    press("n", {}, element);
  }
  for (const modifier of ["ctrlKey", "metaKey", "altKey"]) press("n", { [modifier]: true });
  press("n", { isComposing: true });
  expect(pressed).toEqual([]);
});

test("they can be switched off", () => {
  shortcutGroups.value = [{ name: "Log", shortcuts: shortcuts("n") }];
  keysOn.value = "off";
  press("n");
  expect(pressed).toEqual([]);
});
