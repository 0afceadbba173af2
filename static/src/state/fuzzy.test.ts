import { expect, test } from "vitest";
import { fit } from "./fuzzy";

const best = (text: string, names: readonly string[]): string[] =>
  names
    .map((name) => ({ name, found: fit(text, name) }))
    .filter(({ found }) => found)
    .sort((a, b) => (b.found?.score ?? 0) - (a.found?.score ?? 0))
    .map(({ name }) => name);

test("a word is found as it stands, at the beginning of a word first", () => {
  expect(best("run", ["Prune old rows", "Run again", "All runs"])).toEqual(["Run again", "All runs", "Prune old rows"]);
  expect(fit("base", "Knowledge base")?.at).toEqual([10, 11, 12, 13]);
});

test("the first letters of words find a name, and so do letters that lie near each other", () => {
  expect(fit("kb", "Knowledge base")?.at).toEqual([0, 10]);
  expect(fit("knwl", "Knowledge base")?.at).toEqual([0, 1, 3, 4]);
  expect(fit("otz", "Over and out of the blue, a seizure")).toBeNull();
});

test("each word must be found, in any order", () => {
  expect(fit("again run", "Run again")).not.toBeNull();
  expect(fit("run never", "Run again")).toBeNull();
});

test("capitals, dots over them and an empty text do not matter", () => {
  expect(fit("İSTANBUL", "İstanbul nightly")?.at[0]).toBe(0);
  expect(fit("", "Anything")?.score).toBeCloseTo(-0.08);
});
