import { expect, test } from "vitest";
import { ListKeys, type OpenList } from "./list-keys";

const names = ["In 7 days", "In 30 days", "Never", "Nobody", "Sometime"];
const press = (keys: ListKeys, key: string, list: Partial<OpenList> = {}, now = 0, more = {}) =>
  keys.meaning({ key, altKey: false, ctrlKey: false, metaKey: false, ...more }, { names, at: 2, open: true, ...list }, now);

test.each([
  ["ArrowDown", { show: 2 }],
  ["ArrowUp", { show: 0 }],
  ["Home", { show: 0 }],
  ["End", { show: 4 }],
  ["Enter", { show: 2 }],
  [" ", { show: 2 }],
  ["s", { show: 4 }],
  ["Escape", null],
  ["PageDown", null],
  ["Tab", null],
  ["F5", null],
])("closed, %s means %o", (key, meaning) => {
  expect(press(new ListKeys(), key, { open: false })).toEqual(meaning);
});

test.each([
  ["ArrowDown", { show: 3 }],
  ["ArrowUp", { show: 1 }],
  ["Home", { show: 0 }],
  ["End", { show: 4 }],
  ["PageUp", { show: 0 }],
  ["PageDown", { show: 4 }],
  ["Enter", "take"],
  [" ", "take"],
  ["Escape", "close"],
  ["s", { show: 4 }],
  ["x", { show: 2 }],
])("open, %s means %o", (key, meaning) => {
  expect(press(new ListKeys(), key)).toEqual(meaning);
});

test("the ends are the ends", () => {
  expect(press(new ListKeys(), "ArrowDown", { at: 4 })).toEqual({ show: 4 });
  expect(press(new ListKeys(), "ArrowUp", { at: 0 })).toEqual({ show: 0 });
});

test("with Alt the list opens and takes; other keys with Alt, Ctrl or Meta are not of the list", () => {
  const keys = new ListKeys();
  expect(press(keys, "ArrowDown", { open: false }, 0, { altKey: true })).toEqual({ show: 2 });
  expect(press(keys, "ArrowUp", {}, 0, { altKey: true })).toBe("take");
  for (const held of ["altKey", "ctrlKey", "metaKey"]) expect(press(keys, "n", {}, 0, { [held]: true })).toBeNull();
});

test("several keys are the beginning of a name, spaces too; after a pause another name begins", () => {
  const keys = new ListKeys();
  const typed = [..."IN 30"].map((key, at) => press(keys, key, {}, at));
  expect(typed).toEqual([{ show: 0 }, { show: 0 }, { show: 0 }, { show: 1 }, { show: 1 }]);
  expect(press(keys, "n", {}, 1_000)).toEqual({ show: 2 });
  expect(press(keys, " ", {}, 1_001), "no name goes on with a space").toBe("take");
});

test("any other key ends the name that is being typed", () => {
  const keys = new ListKeys();
  press(keys, "n", {}, 0);
  press(keys, "Home", {}, 1);
  expect(press(keys, "i", { at: 0 }, 2)).toEqual({ show: 0 });
  expect(press(keys, "n", { at: 0 }, 3), "In").toEqual({ show: 0 });
});

test("the same key again goes from one name that begins with it to the next", () => {
  const keys = new ListKeys();
  expect(press(keys, "n", { at: 0 }, 0)).toEqual({ show: 2 });
  expect(press(keys, "n", { at: 2 }, 1)).toEqual({ show: 3 });
  expect(press(keys, "n", { at: 3 }, 2)).toEqual({ show: 2 });
});
