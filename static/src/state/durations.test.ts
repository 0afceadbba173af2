import { expect, test } from "vitest";
import { durationBounds, durationChoices, durationOf } from "./durations";

test("what the address says is among what can be chosen", () => {
  expect(durationChoices({ min_seconds: "60", max_seconds: "" })).toHaveLength(5);
  const other = { min_seconds: "5", max_seconds: "7.5" };
  expect(durationChoices(other).at(-1)).toMatchObject({ value: durationOf(other), name: "Over 5 s, up to 7.5 s" });
  expect(durationBounds(durationOf(other))).toEqual(other);
  expect(durationBounds("-")).toEqual({ min_seconds: "", max_seconds: "" });
});
