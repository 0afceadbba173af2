import { signal } from "@preact/signals";
import { expect, test } from "vitest";
import type { LogLine, LogMarksPage, LogPage, LogQuery } from "../client/types";
import { LogStore } from "./log";
import { FilteredLog } from "./log-filtered";
import { LogFolds } from "./log-folds";
import { linesBetween } from "./log-numbers";
import { sectionsOf, type Section } from "./log-sections";
import { LogView } from "./log-view";

const line = (sequence: number, level = "INFO"): LogLine => ({ sequence, level, message: "", phase: null }) as LogLine;

/** A log of 1,000 events whose hits are these, with a group from 90 up to `last`; `shown` is where the reader was brought. */
function viewing(hits: number[], last: number | null = 500) {
  const asked: LogQuery[] = [];
  const ask = async (query: LogQuery): Promise<LogPage> => {
    asked.push(query);
    const head = Math.max(1_000, ...hits);
    const { since_sequence: since, before_sequence: before = head + 1, limit = 1 } = query;
    const found = since === undefined ? hits.filter((at) => at < before).slice(-1) : hits.filter((at) => at > since).slice(0, limit);
    const next = found.length < limit ? head : (found.at(-1) as number);
    return { logs: found.map((at) => line(at)), next_sequence: next, before_sequence: found[0] ?? 1, has_more: false };
  };
  const marksAsked: string[] = [];
  const askMarks = async (of: string): Promise<LogMarksPage> => {
    marksAsked.push(of);
    return { places: [...hits], stretch: 1, head: Math.max(1_000, ...hits) };
  };
  const store = new LogStore(ask);
  store.restart([line(1_000)], 1_000);
  const section = { kind: "group", name: "a", group_id: "a", first_sequence: 90, last_sequence: last } as const;
  const group = { ...section, started_at: "", ended_at: "" };
  const sections = signal(sectionsOf([group]));
  const view = new LogView(store, ask, askMarks, new LogFolds(`run ${Math.random()}`, sections));
  const shown: number[] = [];
  view.scroller = { show: (sequence) => shown.push(sequence), toTop: () => shown.push(0), top: () => 400, draw: () => {} };
  return { view, store, shown, asked, marksAsked, sections };
}

test("an address opens at its lines, marked, and lets the end go", () => {
  const { view, shown } = viewing([]);
  view.open("#L120-L130");
  expect([view.range.value, view.follow.value, shown]).toEqual([{ from: 120, to: 130 }, false, [120]]);
});

test("an address beyond the end shows a message and does not scroll", () => {
  const { view, shown } = viewing([]);
  view.open("#L5000");
  expect(view.message.value).toBe("The line of this address is beyond the end");
  expect([view.follow.value, shown]).toEqual([true, []]);
});

test("an address is gone to once, another one and none at all too", () => {
  const { view, shown } = viewing([]);
  view.open("#L120");
  view.open("#L120");
  view.open("#L300");
  view.open("");
  expect([shown, view.range.value]).toEqual([[120, 300], null]);
});

test("a search goes from the view to the next hit, on from there, and around the end with a message", async () => {
  const { view, shown } = viewing([100, 400, 700]);
  view.hold();
  await view.searchFor("x");
  await view.find("next");
  expect([shown, view.message.value]).toEqual([[400, 700], "3 of 3"]);
  await view.find("next");
  expect([shown.at(-1), view.message.value]).toEqual([100, "1 of 3 · Went on from the start"]);
  await view.find("previous");
  expect([shown.at(-1), view.message.value]).toEqual([700, "3 of 3 · Went on from the end"]);
  expect(view.marks.hits.value?.all, "for the rail").toEqual([100, 400, 700]);
  view.toEnd();
  expect(view.message.value, "it is no longer about what is shown").toBe("");
});

test("another letter keeps the hit that still has the text", async () => {
  const { view, shown } = viewing([400, 700]);
  view.hold();
  await view.searchFor("x");
  await view.searchFor("xy");
  expect(shown).toEqual([400, 400]);
  await view.searchFor("");
  expect([view.current.value, view.query.value]).toEqual([null, ""]);
});

test("a search without a hit shows a message and does not scroll", async () => {
  const { view, shown } = viewing([]);
  await view.searchFor("needle");
  expect([view.message.value, shown, view.follow.value, view.searching.value]).toEqual([
    "No line has “needle”",
    [],
    true,
    false,
  ]);
});

test("only the last of two searches counts", async () => {
  const { view, shown } = viewing([700]);
  const first = view.searchFor("a");
  view.cancel();
  await first;
  expect([shown, view.message.value, view.searching.value]).toEqual([[], "", false]);
});

test("the previous error is sought from the end while that is followed", async () => {
  const { view, shown, asked } = viewing([999]);
  await view.findError("previous");
  expect(asked[0]).toEqual({ errors: true, limit: 1, before_sequence: 1_001 });
  expect([shown, view.follow.value]).toEqual([[999], false]);
});

test("each error is told which of all it is, around both ends, and those that came meanwhile count", async () => {
  const hits = [100, 450, 700];
  const { view, store, shown, marksAsked } = viewing(hits);
  view.hold();
  await view.findError("next");
  expect([shown.at(-1), view.message.value]).toEqual([450, "2 of 3"]);
  await view.findError("next");
  expect([shown.at(-1), view.message.value]).toEqual([700, "3 of 3"]);
  expect(marksAsked, "all are counted once").toEqual(["errors"]);
  await view.findError("next");
  expect([shown.at(-1), view.message.value]).toEqual([100, "1 of 3 · Went on from the start"]);
  hits.push(1_001);
  store.append([line(1_001, "ERROR")], 1_001);
  await view.findError("previous");
  expect([shown.at(-1), view.message.value]).toEqual([1_001, "4 of 4 · Went on from the end"]);
});

test("only errors that pass the filter are visited, and one of lines that show no warnings only those of that level", async () => {
  const { view, asked } = viewing([500]);
  for (const [level, given] of [
    ["", { errors: true, phase: "load" }],
    ["WARNING", { errors: true, phase: "load" }],
    ["ERROR", { level: "ERROR", phase: "load" }],
    ["CRITICAL", { level: "CRITICAL", phase: "load" }],
  ] as const) {
    view.setFilter({ level, phase: "load" });
    asked.length = 0;
    await view.findError("next");
    expect(asked[0]).toMatchObject(given);
    expect(view.message.value).toMatch(/^1 of 1/);
  }
});

test("where no line tells of an error it says so", async () => {
  const { view } = viewing([]);
  await view.findError("next");
  expect(view.message.value).toBe("No line tells of an error");
});

test("lines that come while the end is let go are counted", () => {
  const { view, store } = viewing([]);
  store.append([line(1_001)], 1_001);
  view.hold();
  store.append([line(1_002), line(1_003)], 1_003);
  expect(view.unread).toBe(2);
});

test("a filter looks from the line that is being read, a search through it asks for both", async () => {
  const { view, asked } = viewing([500]);
  view.hold();
  view.setFilter({ level: "WARNING", phase: "load" });
  expect(view.source.value).toBeInstanceOf(FilteredLog);
  expect((view.source.value as FilteredLog).after).toBe(399);
  await view.searchFor("x");
  expect(asked[0]).toMatchObject({ q: "x", level: "WARNING", phase: "load" });
  view.setFilter({});
  expect(view.source.value).toBeInstanceOf(LogStore);
});

test("a marked line becomes a range with the next one", () => {
  const { view } = viewing([]);
  expect(view.mark(210, false)).toBe("#L210");
  expect(view.mark(200, true)).toBe("#L200-L210");
  expect(view.follow.value).toBe(false);
});

test("a search, an error, an address and the end open what hides them", async () => {
  const { view } = viewing([400, 700]);
  const [group] = view.folds.sections.value;
  const opened = async (act: () => unknown): Promise<boolean> => {
    view.hold();
    if (!view.folds.isFolded(group!)) view.folds.toggle(group!);
    await act();
    return !view.folds.isFolded(group!);
  };
  expect(await opened(() => view.searchFor("x")), "a search").toBe(true);
  view.current.value = 700;
  expect(await opened(() => view.findError("previous")), "an error").toBe(true);
  expect(await opened(() => view.open("#L300")), "an address").toBe(true);
  expect(await opened(() => view.open("#L600")), "an address elsewhere").toBe(false);
  expect(await opened(() => view.toEnd()), "the end, which is not within").toBe(false);
});

test("what a fold hides is not followed: new lines are unread, and to follow opens it", () => {
  const { view, store, sections } = viewing([], null);
  const [group] = sections.value as [Section];
  view.folds.toggle(group);
  expect([view.follow.value, view.endHidden]).toEqual([false, true]);
  store.append([line(1_001), line(1_002)], 1_002);
  expect(view.unread).toBe(2);

  view.toEnd();

  expect([view.follow.value, view.endHidden, view.folds.isFolded(group)]).toEqual([true, false, false]);
  sections.value = [{ ...group, first: 1_003 }];
  view.folds.toggle(sections.value[0] as Section);
  expect(view.follow.value, "also a section that has no line yet").toBe(false);
  view.toEnd();
  expect([view.follow.value, view.endHidden]).toEqual([true, false]);
});

test("a section that has ended, and one that a filter leaves out, keep nobody from the end", () => {
  const ended = viewing([]);
  ended.view.folds.toggleAll();
  expect(ended.view.follow.value).toBe(true);
  const { view } = viewing([], null);
  view.setFilter({ level: "WARNING" });
  view.folds.toggleAll();
  expect(view.follow.value).toBe(true);
  view.setFilter({});
  expect(view.follow.value, "without the filter the fold is there again").toBe(false);
});

test("a page that opens with its end folded begins at the header, and an address before it still counts", () => {
  const { sections, store, view } = viewing([], null);
  view.folds.toggleAll();
  const other = new LogView(store, async () => Promise.reject(new Error()), async () => Promise.reject(new Error()), view.folds);
  expect([other.follow.value, other.start]).toEqual([false, 90]);
  other.open("#L12");
  expect(other.start).toBe(12);
  expect(sections.value).toHaveLength(1);
});

test("a folded section knows how many lines it hides where those beside it are here, and counts on", () => {
  const numbered = (sequence: number): LogLine => ({ ...line(sequence), line: sequence - 10 });
  const store = new LogStore(async () => Promise.reject(new Error()));
  store.restart([], 50);
  store.append([], 60);
  store.append([numbered(61), numbered(62)], 63);
  for (let at = 65; at <= 200; at++) store.append([numbered(at)], at);
  expect(linesBetween(store, 63, Infinity), "65 to 200").toBe(138);
  store.append([numbered(201)], 201);
  expect(linesBetween(store, 63, Infinity)).toBe(139);
  expect(linesBetween(store, 63, 100), "it has ended").toBe(38);
  expect(linesBetween(store, 20, 100), "nobody knows the lines before").toBeNull();
  store.append([line(202)], 202);
  expect(linesBetween(store, 63, Infinity), "a run that is older than the numbers").toBeNull();
});
