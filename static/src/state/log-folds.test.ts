import { signal } from "@preact/signals";
import { expect, test } from "vitest";
import type { LogLine, LogPage, LogQuery } from "../client/types";
import { LogStore } from "./log";
import { LogFolds } from "./log-folds";
import { sectionsOf, type Section } from "./log-sections";

const spans = (...given: [first: number, last: number | null][]): readonly Section[] =>
  sectionsOf(
    given.map(([first_sequence, last_sequence]) => ({
      kind: "group",
      name: `${first_sequence}`,
      group_id: `${first_sequence}`,
      first_sequence,
      last_sequence,
      started_at: "",
      ended_at: null,
    })),
  );
const at = (folds: LogFolds, first: number): Section => folds.sections.value.find((one) => one.first === first) as Section;

function folding(...given: [first: number, last: number | null][]): LogFolds {
  return new LogFolds(`run ${Math.random()}`, signal(spans(...given)));
}

test("a folded section hides its lines and the headers within, not its own", () => {
  const folds = folding([10, 200], [20, 30], [300, null]);
  folds.toggle(at(folds, 20));
  folds.toggle(at(folds, 10));
  expect(folds.hidden.value).toEqual([{ from: 11, to: 200 }]);
  expect([10, 11, 20, 200, 201].map((sequence) => folds.hides(sequence))).toEqual([false, true, true, true, false]);
  folds.toggle(at(folds, 10));
  expect(folds.hidden.value, "the one within is still folded").toEqual([{ from: 21, to: 30 }]);
  folds.toggle(at(folds, 300));
  expect([300, 301, 1_000_000].map((sequence) => folds.hides(sequence))).toEqual([false, true, true]);
});

test("only blocks that are hidden as a whole are passed over", () => {
  const folds = folding([30, 1_000], [1_005, 1_080]);
  folds.toggleAll();
  expect([0, 1, 2, 39, 40, 41, 42, 43].map((key) => folds.nextShown(key))).toEqual([0, 1, 40, 40, 40, 43, 43, 43]);
  const open = folding([25, null]);
  open.toggleAll();
  expect([open.nextShown(0), open.nextShown(1)]).toEqual([0, Infinity]);
});

test("what is looked for opens all that hide it, and nothing else", () => {
  const folds = folding([10, 200], [20, 30], [40, 50]);
  folds.toggleAll();
  folds.reveal(25);
  expect(folds.hidden.value).toEqual([{ from: 41, to: 50 }]);
});

test("all are folded, then all are opened", () => {
  const folds = folding([10, 20], [30, 40]);
  folds.toggle(at(folds, 10));
  folds.toggleAll();
  expect(folds.hidden.value.length).toBe(2);
  folds.toggleAll();
  expect(folds.hidden.value).toEqual([]);
});

test("the browser remembers what is folded of a run, and of the last forty only", () => {
  const sections = signal(spans([10, 20]));
  for (let run = 0; run < 41; run++) new LogFolds(`remembered ${run}`, sections).toggleAll();
  const folded = (run: number): boolean => new LogFolds(`remembered ${run}`, sections).hidden.value.length > 0;
  expect([folded(0), folded(1), folded(40)]).toEqual([false, true, true]);
});

test("a hidden part of a million lines is neither loaded nor waited for", async () => {
  const asked: LogQuery[] = [];
  const line = (sequence: number): LogLine => ({ sequence }) as LogLine;
  const load = async (query: LogQuery): Promise<LogPage> => {
    asked.push(query);
    const since = query.since_sequence ?? (query.before_sequence ?? 0) - (query.limit ?? 0) - 1;
    const logs = Array.from({ length: query.limit ?? 0 }, (_, index) => line(since + index + 1));
    return { logs, next_sequence: since + logs.length, before_sequence: since + 1, has_more: true };
  };
  const log = new LogStore(load);
  const folds = folding([100, 999_900]);
  folds.toggleAll();
  log.nextShown = (key) => folds.nextShown(key);
  log.restart([line(1_000_000)], 1_000_000);
  log.want(0, 40_000);
  await new Promise((done) => setTimeout(done));
  const loaded = asked.reduce((sum, { limit }) => sum + (limit ?? 0), 0);
  expect(loaded).toBeLessThan(2_500);
  expect(log.nearest(500_000)).toEqual({ line: line(999_901) });
});
