import { expect, test } from "vitest";
import type { LogLine, LogPage, LogQuery } from "../client/types";
import { LogStore } from "./log";
import { FilteredLog } from "./log-filtered";
import { passes } from "./log-filters";

const line = (sequence: number, level = "INFO"): LogLine => ({
  sequence,
  timestamp: "",
  level,
  message: "",
  component: null,
  phase: sequence > 2_000 ? "late" : "early",
});
const SCAN = 1_000;

/** A server with `head` lines, every hundredth an error; it looks at 1,000 a call. */
function server(head: number) {
  const asked: LogQuery[] = [];
  const state = { head };
  const ask = async (query: LogQuery): Promise<LogPage> => {
    asked.push(query);
    const forward = query.since_sequence !== undefined;
    const low = forward ? (query.since_sequence as number) + 1 : Math.max(1, (query.before_sequence ?? 0) - SCAN);
    const high = forward ? Math.min(low + SCAN - 1, state.head) : Math.min(state.head, (query.before_sequence ?? 0) - 1);
    const all: LogLine[] = [];
    for (let sequence = low; sequence <= high; sequence++) all.push(line(sequence, sequence % 100 ? "INFO" : "ERROR"));
    const found = all.filter((one) => passes(query, one));
    const limit = query.limit ?? 100;
    const logs = forward ? found.slice(0, limit) : found.slice(-limit);
    const cut = logs.length < found.length;
    return {
      logs,
      next_sequence: forward && cut ? (logs.at(-1) as LogLine).sequence : high,
      before_sequence: !forward && cut ? (logs[0] as LogLine).sequence : low,
      has_more: cut || (forward ? high < state.head : low > 1),
    };
  };
  return { ask, asked, state };
}

const settled = (): Promise<void> => new Promise((done) => setTimeout(done));
const held = (log: FilteredLog): number[] => {
  const found: number[] = [];
  for (let key = log.first; key < log.end; key++) found.push(...(log.lines(key) ?? []).map(({ sequence }) => sequence));
  return found;
};
const hundreds = (from: number, to: number): number[] =>
  Array.from({ length: (to - from) / 100 + 1 }, (_, index) => from + index * 100);

function filtered(head: number, at: number | null, level = "ERROR", capacity?: number) {
  const { ask, asked, state } = server(head);
  const whole = new LogStore(ask);
  whole.restart([], head);
  return { log: new FilteredLog(ask, whole, { level }, at, capacity), whole, asked, state };
}

test("it begins at the end and goes back until there is enough or nothing more", async () => {
  const { log } = filtered(3_050, null);
  log.want(log.first - 2, log.end + 2);
  await settled();
  expect(held(log)).toEqual(hundreds(100, 3_000));
  expect(log.empty).toBe(false);
});

test("it goes on only while its ends are looked at", async () => {
  const { log, asked } = filtered(50_000, null, "INFO");
  log.want(0, 0);
  await settled();
  const loaded = asked.length;
  log.want(log.first + 3, log.end);
  await settled();
  expect(asked.length).toBe(loaded);
  const first = log.first;
  log.want(log.first, log.first + 2);
  await settled();
  expect(log.first).toBeLessThan(first);
  expect(held(log)).toEqual([...held(log)].sort((a, b) => a - b));
});

test("around a line it has what is before and after it", async () => {
  const { log } = filtered(3_050, 1_234);
  expect(log.nearest(1_234)).toEqual({ key: 0 });
  log.want(-2, 2);
  await settled();
  expect(held(log)).toEqual(hundreds(100, 3_000));
  expect(log.nearest(1_234)).toMatchObject({ line: { sequence: 1_200 } });
  expect(log.nearest(9_999)).toMatchObject({ line: { sequence: 3_000 } });
});

test("live lines that pass come after, each once, also when a page brought them first", async () => {
  const { log, whole, state } = filtered(1_000, null);
  log.want(-2, 2);
  await settled();
  state.head = 1_300;
  whole.append([line(1_050), line(1_100, "ERROR"), line(1_150, "CRITICAL")], 1_150);
  whole.append([line(1_200, "ERROR")], 1_200);
  expect(held(log).slice(-3)).toEqual([1_100, 1_150, 1_200]);
  expect(log.upTo).toBe(1_200);
});

test("lines between two words of the stream are loaded, not passed over", async () => {
  const { log, whole, state } = filtered(1_000, null);
  log.want(-2, 2);
  await settled();
  state.head = 1_500;
  whole.restart([line(1_500, "ERROR")], 1_500);
  log.want(log.first - 2, log.end + 2);
  await settled();
  expect(held(log)).toEqual(hundreds(100, 1_500));
});

test("it holds a bounded number of lines, and lets go of those that are far from what is looked at", async () => {
  const { log } = filtered(20_000, null, "INFO", 3_000);
  log.want(0, 0);
  await settled();
  for (let step = 0; step < 12; step++) {
    log.want(log.first, log.first + 2);
    await settled();
  }
  expect(held(log).length).toBeLessThanOrEqual(3_000);
  const first = held(log)[0] as number;
  expect(first).toBeLessThan(16_000);
  expect(held(log)).toEqual(Array.from({ length: held(log).length }, (_, index) => first + index));
  for (let step = 0; step < 40; step++) {
    log.want(log.end - 2, log.end);
    await settled();
  }
  expect(held(log).at(-1)).toBe(20_000);
  expect(held(log).length).toBeLessThanOrEqual(3_000);
});

test("it is known when nothing passes", async () => {
  const { log } = filtered(3_000, null, "CRITICAL");
  expect(log.empty).toBe(false);
  log.want(-2, 2);
  await settled();
  expect(log.empty).toBe(true);
  expect(log.nearest(5)).toBeNull();
});

test("a place far away is gone to at once, and what was asked for before it does not come in between", async () => {
  const { log } = filtered(50_000, null, "INFO");
  log.want(0, 0);
  expect(log.nearest(200)).toEqual({ key: 0 });
  log.want(0, 0);
  await settled();
  expect(held(log)).toEqual([...held(log)].sort((a, b) => a - b));
  expect(log.nearest(200)).toMatchObject({ line: { sequence: 200 } });
  expect(log.upTo).toBeLessThan(10_000);
});

test("levels are the least severe to show", () => {
  expect(passes({ level: "WARNING" }, line(1, "CRITICAL"))).toBe(true);
  expect(passes({ level: "WARNING" }, line(1, "INFO"))).toBe(false);
  expect(passes({ phase: "late" }, line(1))).toBe(false);
  expect(passes({}, line(1))).toBe(true);
});

test("one that is left asks for nothing more", async () => {
  const { log, asked } = filtered(50_000, null, "CRITICAL");
  log.want(log.first - 2, log.end + 2);
  log.stop();
  await settled();
  expect(asked).toHaveLength(1);
});

test("a server that brings nothing new is not asked again and again", async () => {
  const { log, asked, whole } = filtered(1_000, null);
  whole.append([], 2_000);
  log.want(log.first, log.end + 2);
  await settled();
  expect(asked.filter(({ since_sequence }) => since_sequence !== undefined).length).toBeLessThan(3);
});

test("of states that replace each other only the last is here", () => {
  const { log, whole } = filtered(3_000, null, "INFO");
  const bar = (sequence: number): LogLine => ({ ...line(sequence), message: `${sequence}\r` });
  for (let at = 3_001; at <= 3_100; at++) whole.append([bar(at)], at);
  whole.append([line(3_101)], 3_101);
  whole.append([bar(3_102), { ...bar(3_103), component: "other" }], 3_103);
  expect(held(log)).toEqual([3_101, 3_102, 3_103]);
});
