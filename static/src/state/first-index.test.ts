import { expect, test } from "vitest";
import { firstIndex } from "./first-index";

test.each([
  [[], 0],
  [[true], 0],
  [[false], 1],
  [[false, false, true], 2],
  [[false, true, true, true, true], 1],
])("in %j the first that passes is %d", (passes, expected) => {
  expect(firstIndex(passes.length, (index) => passes[index] as boolean)).toBe(expected);
});
