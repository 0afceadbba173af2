import { expect, test } from "vitest";
import { percent, quantity } from "./format";

test("100 % is shown only when it is reached", () => {
  expect([99.99, 100, 130, null, -1].map(percent)).toEqual([99, 100, 100, 0, 0]);
});

test("one is singular, and large numbers have separators", () => {
  expect([0, 1, 1_200].map((number) => quantity(number, "line"))).toEqual(["0 lines", "1 line", "1,200 lines"]);
});
