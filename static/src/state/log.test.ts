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
const lines = (from: number, to: number, step = 1): LogLine[] =>
  Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, index) => line(from + index * step));

/** A server with the lines 1 to `head`, every `step`-th event being one, what is before `oldest` gone. */
function server({ head = 1_000, step = 1, oldest = 1, most = 1_000 } = {}) {
  const asked: LogQuery[] = [];
  const ask = async (query: LogQuery): Promise<LogPage> => {
    asked.push(query);
    const limit = Math.min(query.limit ?? 100, most);
    if (query.before_sequence !== undefined) {
      const before = query.before_sequence;
      const all = lines(1, head, step).filter(({ sequence }) => sequence >= oldest && sequence < before);
      const logs = all.slice(-limit);
      const more = logs.length < all.length;
      const before_sequence = more ? (logs[0] as LogLine).sequence : oldest;
      return { logs, next_sequence: before - 1, before_sequence, has_more: more };
    }
    const since = Math.max(query.since_sequence ?? 0, oldest - 1);
    const all = lines(1, head, step).filter(({ sequence }) => sequence > since);
    const logs = all.slice(0, limit);
    const more = logs.length < all.length;
    const page: LogPage = {
      logs,
      next_sequence: more ? (logs.at(-1) as LogLine).sequence : head,
      before_sequence: since + 1,
      has_more: more,
    };
    return since > (query.since_sequence ?? 0) ? { ...page, resync: { reason: "pruned", oldest, head } } : page;
  };
  return { ask, asked };
}

/** After everything that only waited for promises. */
const settled = (): Promise<void> => new Promise((done) => setTimeout(done));
const held = (log: LogStore): number[] => {
  const found: number[] = [];
  for (let key = log.first; key < log.end; key++) found.push(...(log.lines(key) ?? []).map(({ sequence }) => sequence));
  return found;
};
const range = (from: number, to: number, step = 1): number[] => lines(from, to, step).map(({ sequence }) => sequence);

test("each line of the stream is here once and in order, in the block of its sequence", () => {
  const log = new LogStore(server().ask);
  log.restart([], 0);
  log.append(lines(1, 150), 150);
  log.append(lines(151, 260), 263);
  expect(held(log)).toEqual(range(1, 260));
  expect(log.lines(1)?.map(({ sequence }) => sequence)).toEqual(range(26, 50));
  expect([log.head, log.end, log.appended]).toEqual([263, 11, 260]);
});

test("a span that has come before is not added twice", () => {
  const log = new LogStore(server().ask);
  log.append(lines(1, 50), 50);
  log.append(lines(40, 50), 50);
  log.restart(lines(31, 60), 60);
  expect(held(log)).toEqual(range(1, 60));
});

test("the newest lines of a snapshot are here at once, and what their block lacks is loaded when it is wanted", async () => {
  const { ask, asked } = server({ head: 950 });
  const log = new LogStore(ask);
  log.restart(lines(860, 950), 950);
  expect(held(log)).toEqual(range(860, 950));
  expect(log.lines(0)).toBeNull();
  log.want(33, 38);
  await settled();
  expect(held(log)).toEqual(range(826, 950));
  expect(asked).toEqual([{ before_sequence: 860, limit: 34 }]);
});

test("a page is asked for once, for all that is wanted, and what was scrolled past is never asked for", async () => {
  const { ask, asked } = server({ head: 100_000 });
  const log = new LogStore(ask);
  log.restart(lines(99_901, 100_000), 100_000);
  log.want(0, 16);
  log.want(1_200, 1_216);
  log.want(2_400, 2_416);
  await settled();
  expect(asked.map(({ since_sequence }) => since_sequence)).toEqual([0, 60_000]);
  log.want(2_400, 2_416);
  await settled();
  expect(asked.length).toBe(2);
});

test("pages that are cut short are gone on from where they end", async () => {
  const { ask, asked } = server({ head: 400, most: 130 });
  const log = new LogStore(ask);
  log.restart(lines(391, 400), 400);
  log.want(0, 16);
  await settled();
  expect(held(log)).toEqual(range(1, 400));
  expect(asked.map(({ before_sequence }) => before_sequence), "back from what is here").toEqual([391, 261, 131]);
  const long = server({ head: 100_000, most: 130 });
  const other = new LogStore(long.ask);
  other.restart(lines(99_991, 100_000), 100_000);
  other.want(0, 16);
  await settled();
  expect(held(other).slice(0, 400)).toEqual(range(1, 400));
  expect(long.asked.map(({ since_sequence }) => since_sequence)).toEqual([0, 130, 260, 390]);
});

test("live lines that come while their block is loaded are neither lost nor doubled", async () => {
  const { ask } = server({ head: 190 });
  const log = new LogStore(ask);
  log.restart(lines(181, 190), 190);
  log.want(0, 8);
  log.append(lines(191, 205), 205);
  await settled();
  log.append(lines(206, 210), 210);
  expect(held(log)).toEqual(range(1, 210));
});

test("the stream may be behind what was loaded", async () => {
  const { ask } = server({ head: 220 });
  const log = new LogStore(ask);
  log.restart(lines(160, 200), 200);
  log.want(0, 9);
  await settled();
  log.append(lines(201, 215), 215);
  log.append(lines(216, 230), 230);
  expect(held(log)).toEqual(range(1, 230));
});

test("after a gap the lines between are loaded, not passed over", async () => {
  const { ask } = server({ head: 380 });
  const log = new LogStore(ask);
  log.restart(lines(1, 130), 130);
  log.restart(lines(371, 380), 380);
  log.want(0, 16);
  await settled();
  expect(held(log)).toEqual(range(1, 380));
});

test("a gap within one block too", async () => {
  const { ask } = server({ head: 20 });
  const log = new LogStore(ask);
  log.restart(lines(1, 5), 5);
  log.restart(lines(16, 20), 20);
  log.want(0, 1);
  await settled();
  expect(held(log)).toEqual(range(1, 20));
});

test("a snapshot that is older than what is here takes the stream's word from there on", () => {
  const log = new LogStore(server().ask);
  log.append(lines(1, 250), 250);
  log.restart(lines(111, 210), 210);
  log.append(lines(211, 255), 255);
  expect(held(log)).toEqual(range(1, 255));
});

test("it holds a bounded number of lines and never lets go what is in view", async () => {
  const { ask } = server({ head: 50_000 });
  const log = new LogStore(ask, 2_000);
  log.restart(lines(49_901, 50_000), 50_000);
  for (let key = 0; key < 800; key += 32) {
    log.want(key, key + 32);
    await settled();
    expect(log.lines(key)?.length).toBe(25);
    expect(log.lines(key + 31)?.length).toBe(25);
  }
  expect(log.lineCount).toBeLessThanOrEqual(2_000);
  expect(log.lines(0)).toBeNull();
  expect(log.lines(1_999)?.length).toBe(25);
  log.want(0, 2);
  await settled();
  expect(log.lines(0)?.length).toBe(25);
});

test("a million live lines leave what is being read alone", () => {
  const log = new LogStore(server().ask, 2_000);
  log.append(lines(1, 300), 300);
  log.want(0, 2);
  for (let at = 300; at < 100_000; at += 1_000) log.append(lines(at + 1, at + 1_000), at + 1_000);
  expect(log.lines(0)?.length).toBe(25);
  expect(log.lines(1)?.length).toBe(25);
  expect(log.lineCount).toBeLessThanOrEqual(2_025);
});

test("events that are no lines take no place, and it is known when there is no line at all", async () => {
  const { ask } = server({ head: 500, step: 1_000 });
  const log = new LogStore(async (query) => ({ ...(await ask(query)), logs: [], next_sequence: 500, has_more: false }));
  log.restart([], 500);
  expect(log.empty).toBe(false);
  log.want(0, 20);
  await settled();
  expect(log.empty).toBe(true);
  expect(log.nearest(200)).toBeNull();
  log.append([line(501)], 501);
  expect(log.empty).toBe(false);
});

test("what was pruned is not waited for", async () => {
  const { ask, asked } = server({ head: 900, oldest: 461 });
  const log = new LogStore(ask);
  log.restart(lines(801, 900), 900);
  log.want(0, 36);
  await settled();
  expect([log.first, log.oldest]).toEqual([18, 461]);
  expect(held(log)).toEqual(range(461, 900));
  expect(asked.length).toBe(1);
});

test("the nearest line is found where there are fewer lines than events", async () => {
  const { ask } = server({ head: 1_000, step: 250 });
  const log = new LogStore(ask);
  log.restart([], 1_000);
  expect(log.nearest(370)).toEqual({ key: 14 });
  log.want(14, 15);
  await settled();
  const later = log.nearest(370);
  expect(later).toEqual({ line: line(501) });
});

test("a failure is shown, and loaded again only by `retry`", async () => {
  const { ask } = server({ head: 300 });
  let works = false;
  const log = new LogStore((query) => (works ? ask(query) : Promise.reject(new Error("away"))));
  log.restart(lines(201, 300), 300);
  log.want(0, 12);
  await settled();
  expect(log.problem.value).not.toBeNull();
  works = true;
  log.retry();
  await settled();
  expect(log.problem.value).toBeNull();
  expect(held(log)).toEqual(range(1, 300));
});
