import { expect, test } from "vitest";
import { BlockHeights } from "./log-heights";

test("blocks that were not measured are taken for the mean of the others, the last aside", () => {
  const heights = new BlockHeights(2_000);
  heights.span(0, 1_000);
  expect([heights.top(0), heights.top(3), heights.total]).toEqual([0, 6_000, 2_000_000]);
  heights.measured(0, 3_000);
  heights.measured(1, 3_000);
  heights.measured(999, 20);
  heights.reckon();
  expect([heights.top(1), heights.top(3), heights.height(500)]).toEqual([3_000, 9_000, 3_000]);
  expect(heights.total).toBe(999 * 3_000 + 20);
});

test("a block without lines takes no room, and is not the one that is found", () => {
  const heights = new BlockHeights(100);
  heights.span(0, 5);
  heights.measured(1, 0);
  heights.measured(2, 0);
  expect(heights.total).toBe(300);
  expect([0, 99, 100, 250, 10_000, -5].map((y) => heights.find(y))).toEqual([0, 0, 3, 4, 4, 0]);
});

test("what was measured stays with its block when others come before it or go", () => {
  const heights = new BlockHeights(100);
  heights.span(0, 3);
  heights.measured(1, 70);
  heights.span(-2, 4);
  expect([heights.height(1), heights.top(2), heights.total]).toEqual([70, 370, 570]);
  heights.span(1, 3);
  expect([heights.height(1), heights.top(2), heights.total]).toEqual([70, 70, 170]);
  heights.span(2, 3);
  expect(heights.total).toBe(100);
});

test("a log of any length stays as short as browsers can draw", () => {
  const heights = new BlockHeights(2_000);
  heights.span(0, 50_000);
  heights.measured(7, 2_000);
  heights.reckon();
  expect(heights.total).toBeLessThan(15_100_000);
  expect(heights.height(7)).toBe(2_000);
  expect(heights.height(8)).toBe(300);
});

test("small differences of the mean do not move what was estimated", () => {
  const heights = new BlockHeights(2_000);
  heights.span(0, 10);
  heights.measured(0, 2_100);
  heights.reckon();
  expect(heights.height(5)).toBe(2_000);
});

test("another width forgets what was measured", () => {
  const heights = new BlockHeights(100);
  heights.span(0, 4);
  for (const key of [0, 1, 2, 3]) heights.measured(key, 50);
  heights.layOut("narrow");
  expect([heights.height(0), heights.total]).toEqual([100, 400]);
});

test("hidden blocks take no place and come back as high as they were", () => {
  const heights = new BlockHeights(100);
  heights.span(0, 6);
  heights.measured(2, 150);
  heights.hide((key) => key >= 2 && key < 5);
  expect([heights.top(2), heights.top(5), heights.total, heights.find(200)]).toEqual([200, 200, 300, 5]);
  heights.hide(null);
  expect([heights.top(5), heights.height(2)]).toEqual([550, 150]);
});
