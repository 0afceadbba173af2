import { expect, test } from "vitest";
import { MOST_SELECTED, Selection } from "./selection";

const order = ["a", "b", "c", "d", "e"];
const ids = (selection: Selection): string[] => [...selection.ids.value].sort();

test("a run is selected and left out again", () => {
  const selection = new Selection();

  selection.toggle("b");
  selection.toggle("d");
  selection.toggle("b");

  expect(ids(selection)).toEqual(["d"]);
});

test("a range goes from the last one to this one, in either direction, and keeps the others", () => {
  const selection = new Selection();

  selection.toggle("a");
  selection.toggle("d");
  selection.extend("c", order);
  expect(ids(selection)).toEqual(["a", "c", "d"]);
  selection.extend("e", order);
  expect(ids(selection)).toEqual(["a", "c", "d", "e"]);
});

test("a range without a beginning, or whose beginning is gone, is this one", () => {
  const first = new Selection();
  first.extend("c", order);
  const gone = new Selection();
  gone.toggle("x");
  gone.extend("c", order);

  expect(ids(first)).toEqual(["c"]);
  expect(ids(gone)).toEqual(["c", "x"]);
});

test("all that match are selected until one is left out", () => {
  const selection = new Selection();

  selection.selectAll(order);
  expect([selection.all.value, ids(selection)]).toEqual([true, order]);
  selection.toggle("c");

  expect([selection.all.value, ids(selection)]).toEqual([false, ["a", "b", "d", "e"]]);
  selection.clear();
  expect([selection.all.value, ids(selection)]).toEqual([false, []]);
});

test("no more are selected than one action takes", () => {
  const many = Array.from({ length: MOST_SELECTED + 5 }, (_, n) => `id-${n}`);
  const selection = new Selection();

  selection.toggle("id-0");
  selection.extend(many.at(-1) as string, many);

  expect(selection.ids.value.size).toBe(MOST_SELECTED);
});
