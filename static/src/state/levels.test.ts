import { expect, test } from "vitest";
import { isAtLeast, isLevel, levelOf } from "./levels";

test.each([
  ["ERROR", "WARNING", true],
  ["WARNING", "WARNING", true],
  ["INFO", "WARNING", false],
  ["TRACE", "DEBUG", false],
])("%s is at least %s: %s", (name, least, expected) => expect(isAtLeast(name, least)).toBe(expected));

test("a level that is not known is shown as it is", () => {
  expect(levelOf("WARNING")).toMatchObject({ label: "WARN", kind: "warn" });
  expect(levelOf("TRACE")).toEqual({ label: "TRACE", kind: "info" });
  expect([isLevel("CRITICAL"), isLevel("TRACE")]).toEqual([true, false]);
});
