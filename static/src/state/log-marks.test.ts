import { expect, test, vi } from "vitest";
import type { LogLine, LogPage, LogQuery } from "../client/types";
import { LogStore } from "./log";
import { LogMarks } from "./log-marks";

const error = (sequence: number): LogLine => ({
  sequence,
  timestamp: "2026-01-01T00:00:00Z",
  level: "ERROR",
  message: `error ${sequence}`,
  component: null,
  phase: null,
});

/** A server whose every hundredth event is an error, with `head` events; `meanwhile` happens before an answer arrives. */
function stage(head: number) {
  const server = { head, meanwhile: (): void => undefined };
  const load = async ({ since_sequence = 0, limit }: LogQuery): Promise<LogPage> => {
    const next_sequence = server.head;
    const all = Array.from({ length: next_sequence - since_sequence }, (_, index) => since_sequence + index + 1);
    const logs = all.filter((sequence) => sequence % 100 === 0).slice(0, limit).map(error);
    server.meanwhile();
    return { logs, next_sequence, before_sequence: since_sequence + 1, has_more: false };
  };
  const store = new LogStore(load);
  return { server, store, marks: new LogMarks(store, load) };
}

const found = (marks: LogMarks): number[] => [...marks.errors.all];

test("errors that come while the earlier ones are looked for are marked, and those after them", async () => {
  vi.useFakeTimers();
  const { server, store, marks } = stage(250);
  store.restart([], 250);
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
  vi.useRealTimers();
});

test("errors that came during a break are marked too", async () => {
  vi.useFakeTimers();
  const { server, store, marks } = stage(250);
  store.restart([], 250);
  marks.start();
  await vi.advanceTimersByTimeAsync(2_000);

  server.head = 1_000;
  store.restart([error(1_000)], 1_000);
  await vi.advanceTimersByTimeAsync(2_000);

  expect(found(marks)).toEqual([100, 200, 300, 400, 500, 600, 700, 800, 900, 1_000]);
  marks.stop();
  vi.useRealTimers();
});
