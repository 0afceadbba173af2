import { expect, test } from "vitest";
import type { LogLine, LogPage, LogQuery } from "../client/types";
import { LogStore } from "./log";

const line = (sequence: number): LogLine => ({
  sequence,
  timestamp: "",
  level: "INFO",
  message: `line ${sequence}`,
  component: null,
  phase: null,
});
const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index);
const lines = (from: number, to: number): LogLine[] => range(from, to).map(line);

/** After everything that only waited for promises. */
const settled = (): Promise<void> => new Promise((done) => setTimeout(done));
const held = (log: LogStore): number[] => {
  const found: number[] = [];
  for (let key = log.first; key < log.end; key++) found.push(...(log.lines(key) ?? []).map(({ sequence }) => sequence));
  return found;
};
const away = (): Promise<LogPage> => Promise.reject(new Error("away"));

const bar = (sequence: number, component = "stderr"): LogLine => ({ ...line(sequence), message: `${sequence}\r`, component });

/** A server that leaves out the states of a bar from 101 to `head` - 100, and looks at 50,000 events a call. */
function flooded(head: number) {
  const asked: LogQuery[] = [];
  const stays = [...range(1, 100), ...range(head - 99, head)];
  const ask = async ({ since_sequence: since, before_sequence: before = head + 1, limit = 100 }: LogQuery): Promise<LogPage> => {
    asked.push(since === undefined ? { before_sequence: before, limit } : { since_sequence: since, limit });
    const low = since ?? Math.max(0, before - 50_001);
    const high = since === undefined ? before - 1 : Math.min(head, since + 50_000);
    const all = stays.filter((sequence) => sequence > low && sequence <= high);
    const found = since === undefined ? all.slice(-limit) : all.slice(0, limit);
    const cut = found.length < all.length;
    const forth = since !== undefined;
    return {
      logs: found.map(line),
      next_sequence: forth && cut ? (found.at(-1) as number) : high,
      before_sequence: !forth && cut ? (found[0] as number) : low + 1,
      has_more: cut || (forth ? high < head : low > 0),
    };
  };
  return { ask, asked };
}

test.each([
  ["from its beginning", (want: (first: number, end: number) => void) => want(0, 16)],
  ["from its end", (want: (first: number, end: number) => void) => want(3_990, 4_008)],
  ["from its middle", (want: (first: number, end: number) => void) => want(2_000, 2_016)],
])("a flood of states that were replaced takes a few requests, looked at %s", async (_, look) => {
  const { ask, asked } = flooded(100_200);
  const log = new LogStore(ask);
  log.restart(lines(100_151, 100_200), 100_200);
  look((first, end) => log.want(first, end));
  await settled();
  // As a list does: what is blank takes no place, so the blocks beside it are in view.
  for (let round = 0; round < 10; round++) {
    let [first, end] = [2_000, 2_001];
    while (first > 0 && (log.isBlank(first) || first === 2_000)) first--;
    while (end < log.end && log.isBlank(end)) end++;
    log.want(first - 8, end + 8);
    await settled();
  }
  expect(asked.length).toBeLessThanOrEqual(7);
  expect([log.isBlank(3), log.isBlank(4), log.isBlank(2_000), log.isBlank(4_003), log.isBlank(4_004)]).toEqual([false, true, true, true, false]);
  expect(log.lineCount).toBeLessThanOrEqual(200);
});

test("of the states that the stream brings only the last is here, also where one replaces it later", () => {
  const log = new LogStore(away);
  log.append([line(1), bar(2), bar(3)], 3);
  const blanks = log.blanks;
  log.append([bar(4)], 4);
  log.append([], 5);
  log.append([bar(6), bar(7, "stdout"), line(8)], 8);
  expect(held(log)).toEqual([1, 6, 7, 8]);
  expect([log.lineCount, log.appended, log.blanks - blanks]).toEqual([4, 7, 0]);
  for (let at = 8; at < 1_000; at++) log.append([bar(at + 1)], at + 1);
  expect(held(log)).toEqual([1, 6, 7, 8, 1_000]);
  expect([log.isBlank(1), log.isBlank(38), log.isBlank(39)]).toEqual([true, true, false]);
  expect(log.blanks, "the list draws again").toBeGreaterThan(blanks);
});

test("a state that was loaded before the stream told of the next one goes too", async () => {
  const log = new LogStore(async () => ({ logs: [line(1), bar(2)], next_sequence: 2, before_sequence: 1, has_more: false }));
  log.head = 2;
  log.want(0, 1);
  await settled();
  log.append([line(1), bar(2), bar(3)], 3);
  expect(held(log)).toEqual([1, 3]);
});
