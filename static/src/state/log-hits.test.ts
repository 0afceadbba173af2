import { expect, test } from "vitest";
import { hits } from "./log-hits";

test("hits are where the text is, its case ignored, its signs taken literally", () => {
  expect(hits("a.b A.B axb", "a.b")).toEqual([
    { start: 0, end: 3 },
    { start: 4, end: 7 },
  ]);
  expect(hits("(x-y)/[z]", "-y)/[")).toEqual([{ start: 2, end: 7 }]);
  expect(hits("İİ needle", "NEEDLE")).toEqual([{ start: 3, end: 9 }]);
  expect(hits("anything", "")).toEqual([]);
});
