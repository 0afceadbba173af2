import { expect, test } from "vitest";
import { formatLines, parseLines } from "./log-link";

test.each([
  ["#L1200", { from: 1_200, to: 1_200 }],
  ["#L1200-L1210", { from: 1_200, to: 1_210 }],
  ["#L1200-1210", { from: 1_200, to: 1_210 }],
  ["#L1210-L1200", { from: 1_200, to: 1_210 }],
  ["#L0", { from: 1, to: 1 }],
])("%s points at lines", (hash, range) => {
  expect(parseLines(hash)).toEqual(range);
});

test.each(["", "#", "#result", "#L", "#L-5", "#L1e3", "#L12-", "#l12", "#L1-L2-L3", "#L99999999999999999999"])(
  "%s points at none",
  (hash) => {
    expect(parseLines(hash)).toBeNull();
  },
);

test("an address that was made leads back", () => {
  for (const range of [
    { from: 7, to: 7 },
    { from: 7, to: 9 },
  ]) {
    expect(parseLines(formatLines(range))).toEqual(range);
  }
});
