import { expect, test } from "vitest";
import type { LogLine, LogPage, LogQuery } from "../client/types";
import { searchLog, type Direction } from "./log-search";

const SCAN = 100;

/** A server that looks at 100 of `head` events a call; the lines at these sequences pass whatever filter. */
function server(at: number[], head = 1_000) {
  const asked: LogQuery[] = [];
  const line = (sequence: number): LogLine => ({ sequence }) as LogLine;
  const ask = async (query: LogQuery): Promise<LogPage> => {
    asked.push(query);
    const limit = query.limit ?? 100;
    if (query.since_sequence !== undefined) {
      const since = query.since_sequence;
      const high = Math.min(since + SCAN, head);
      const all = at.filter((sequence) => sequence > since && sequence <= high);
      const found = all.slice(0, limit);
      const cut = found.length < all.length;
      const next = cut ? (found.at(-1) as number) : Math.max(since, high);
      return { logs: found.map(line), next_sequence: next, before_sequence: since + 1, has_more: cut || high < head };
    }
    const before = Math.min(query.before_sequence ?? head + 1, head + 1);
    const low = Math.max(before - SCAN, 1);
    const all = at.filter((sequence) => sequence >= low && sequence < before);
    const found = all.slice(-limit);
    const cut = found.length < all.length;
    const back = cut ? (found[0] as number) : low;
    return { logs: found.map(line), next_sequence: before - 1, before_sequence: back, has_more: cut || low > 1 };
  };
  return { ask, asked };
}

const never = new AbortController().signal;
async function find(at: number[], from: number, direction: Direction) {
  const hit = await searchLog(server(at).ask, { q: "x" }, from, direction, () => undefined, never);
  return hit && [hit.line.sequence, hit.wrapped];
}

test.each<[string, number[], number, Direction, [number, boolean] | null]>([
  ["the next one", [10, 500, 900], 10, "next", [500, false]],
  ["the previous one", [10, 500, 900], 900, "previous", [500, false]],
  ["around the end", [10, 500], 600, "next", [10, true]],
  ["around the start", [500, 900], 400, "previous", [900, true]],
  ["itself, when it is the only one", [500], 500, "next", [500, true]],
  ["itself, backwards too", [500], 500, "previous", [500, true]],
  ["none", [], 500, "next", null],
  ["none, backwards", [], 500, "previous", null],
  ["from before the first", [1], 0, "next", [1, false]],
  ["from beyond the last", [1_000], 1_001, "previous", [1_000, false]],
])("it finds %s", async (_, at, from, direction, expected) => {
  expect(await find(at, from, direction)).toEqual(expected);
});

test("it goes on where the server stopped, asks for one line with the whole filter, and looks at nothing twice", async () => {
  const { ask, asked } = server([]);
  const progress: number[] = [];
  await searchLog(ask, { q: "x", level: "ERROR" }, 450, "next", (looked) => progress.push(looked), never);
  expect(asked[0]).toEqual({ q: "x", level: "ERROR", limit: 1, since_sequence: 450 });
  const cursors = asked.map(({ since_sequence }) => since_sequence);
  expect(cursors).toEqual([450, 550, 650, 750, 850, 950, 0, 100, 200, 300, 400]);
  expect(progress).toEqual([...progress].sort((a, b) => a - b));
  expect(progress.at(-1)).toBeGreaterThanOrEqual(1_000);
});

test("it stops asking when it is cancelled", async () => {
  const { ask, asked } = server([999]);
  const cancel = new AbortController();
  const progress = (looked: number): void => {
    if (looked >= 300) cancel.abort();
  };
  expect(await searchLog(ask, { q: "x" }, 0, "next", progress, cancel.signal)).toBeNull();
  expect(asked.length).toBe(3);
});
