import { expect, test } from "vitest";
import type { Task } from "../client/types";
import { hasTitle, percent, quantity } from "./format";

test("100 % is shown only when it is reached", () => {
  expect([99.99, 100, 130, null, -1].map(percent)).toEqual([99, 100, 100, 0, 0]);
});

test("one is singular, and large numbers have separators", () => {
  expect([0, 1, 1_200].map((number) => quantity(number, "line"))).toEqual(["0 lines", "1 line", "1,200 lines"]);
});

test("a title that says no more than the job type is none", () => {
  const titled = (title: string): boolean => hasTitle({ job_type: "shop.resize", title } as Task);
  expect(["Task: shop.resize", "shop.resize", "", "Pictures of May"].map(titled)).toEqual([false, false, false, true]);
  const step = { job_type: "shop.resize", title: "Pictures: shop.resize", trigger: "subtask" } as Task;
  expect([hasTitle(step), hasTitle({ ...step, title: "Make them small" })]).toEqual([false, true]);
  expect(hasTitle({ ...step, title: "Chord body: shop.resize", observed: true })).toBe(true);
});
