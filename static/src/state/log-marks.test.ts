import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Problem } from "../client/problem";
import type { LogLine, LogMarksPage } from "../client/types";
import { LogStore } from "./log";
import { LogMarks } from "./log-marks";

const NONE = { logs: [], next_sequence: 0, before_sequence: 1, has_more: false };
const never = new AbortController().signal;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const error = (sequence: number): LogLine => ({
  sequence,
  timestamp: "2026-01-01T00:00:00Z",
  level: "ERROR",
  message: `error ${sequence}`,
  component: null,
  phase: null,
});
const every = (step: number, upTo: number): number[] => Array.from({ length: Math.floor(upTo / step) }, (_, index) => (index + 1) * step);

/** A server whose every hundredth event is an error, with `head` events; `meanwhile` happens before an answer arrives. */
function stage(head: number, page = (at: number): LogMarksPage => ({ places: every(100, at), stretch: 1, head: at })) {
  const server = { head, asked: 0, problem: null as Problem | null, meanwhile: (): void => undefined };
  const load = async (): Promise<LogMarksPage> => {
    server.asked++;
    if (server.problem) throw server.problem;
    const answer = page(server.head);
    server.meanwhile();
    return answer;
  };
  const store = new LogStore(async () => NONE);
  store.restart([], head);
  return { server, store, marks: new LogMarks(store, async () => NONE, load) };
}

const found = (marks: LogMarks): number[] => [...marks.errors.all];

test("errors that come while the earlier ones are looked for are marked, and those after them", async () => {
  const { server, store, marks } = stage(250);
  marks.start();
  server.meanwhile = () => {
    server.meanwhile = () => undefined;
    server.head = 300;
    store.append([error(300)], 300);
  };

  await vi.advanceTimersByTimeAsync(2_000);
  store.append([error(400)], 400);

  expect(found(marks)).toEqual([100, 200, 300, 400]);
  marks.stop();
});

test("errors that came during a break are marked too", async () => {
  const { server, store, marks } = stage(250);
  marks.start();
  await vi.advanceTimersByTimeAsync(2_000);

  server.head = 1_000;
  store.restart([error(1_000)], 1_000);
  await vi.advanceTimersByTimeAsync(2_000);

  expect(found(marks)).toEqual([100, 200, 300, 400, 500, 600, 700, 800, 900, 1_000]);
  marks.stop();
});

test("of very many errors each stretch of the log has a mark, and those that come have marks as far apart", async () => {
  // None in the second stretch.
  const firsts = [1, ...every(500, 1_000_000).map((end) => end + 1).slice(1, -1)];
  const { store, marks } = stage(1_000_000, (head) => ({ places: [...firsts], stretch: 500, head }));
  marks.start();
  await vi.advanceTimersByTimeAsync(2_000);

  for (let sequence = 1_000_001; sequence <= 1_002_000; sequence++) store.append([error(sequence)], sequence);

  expect(found(marks).slice(0, 1_999)).toEqual(firsts);
  expect(found(marks).slice(1_999)).toEqual([1_000_001, 1_000_501, 1_001_001, 1_001_501]);
  expect(await marks.position({ errors: true }, 700_777, never), "also one without a mark").toBe("One of 5,000+");
  const within = [marks.errors.within(600, 2_600), marks.errors.within(10, 20), marks.errors.within(501, 900)];
  expect(within, "of a section that begins after the mark of its stretch nobody knows").toEqual(["some", "unknown", 0]);
  marks.stop();
});

test("a run that goes on to fail keeps marks in all of its log, and not one for each error", async () => {
  const { store, marks } = stage(0);
  marks.start();
  await vi.advanceTimersByTimeAsync(2_000);

  for (let from = 1; from <= 40_000; from += 100) {
    store.append(Array.from({ length: 100 }, (_, index) => error(from + index)), from + 99);
  }

  const places = found(marks);
  expect(places.length).toBeGreaterThan(2_000);
  expect(places.length).toBeLessThanOrEqual(5_000);
  const gaps = places.slice(1).map((place, index) => place - (places[index] as number));
  expect(new Set(gaps), "evenly").toEqual(new Set([16]));
  expect([places[0], (places.at(-1) as number) > 39_980]).toEqual([1, true]);
  marks.stop();
});

test("a first look that the server did not answer is repeated, with longer and longer pauses, also where no line comes any more", async () => {
  const { server, marks } = stage(250);
  server.problem = new Problem(503, "Busy");
  marks.start();

  await vi.advanceTimersByTimeAsync(60_000);
  const asked = server.asked;
  server.problem = null;
  await vi.advanceTimersByTimeAsync(31_000);

  expect(asked).toBeGreaterThanOrEqual(4);
  expect(asked, "not every half second").toBeLessThanOrEqual(12);
  expect(found(marks)).toEqual([100, 200]);
  marks.stop();
});

test("what the server refuses is not asked again, nor is anything after the end of the page", async () => {
  const { server, store, marks } = stage(250);
  server.problem = new Problem(404, "Not found");
  marks.start();
  await vi.advanceTimersByTimeAsync(60_000);
  store.append([], 300);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(server.asked).toBe(1);

  const other = stage(250);
  other.server.problem = new Problem(0, "Away");
  other.marks.start();
  await vi.advanceTimersByTimeAsync(600);
  other.marks.stop();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(other.server.asked).toBe(1);
});
