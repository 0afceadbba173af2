import { expect, test } from "vitest";
import type { LogLine } from "../client/types";
import { LogBuffer } from "./log";

const lines = (from: number, to: number, step = 1): LogLine[] =>
  Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, index) => ({
    sequence: from + index * step,
    timestamp: "",
    level: "INFO",
    message: "",
    component: null,
    phase: null,
  }));
const held = (log: LogBuffer): number[] => log.blocks.flatMap((block) => block.lines.map((line) => line.sequence));
const range = (from: number, to: number): number[] => lines(from, to).map((line) => line.sequence);

test("keeps each line once, in order", () => {
  const log = new LogBuffer();
  log.append(lines(1, 150));
  log.append(lines(140, 160));
  expect(held(log)).toEqual(range(1, 160));
  expect(log.appended).toBe(160);
});

test("blocks that are full are left alone", () => {
  const log = new LogBuffer();
  log.append(lines(1, 100));
  const first = log.blocks[0];
  log.append(lines(101, 250));
  expect(log.blocks[0]).toBe(first);
  expect(log.blocks.map((block) => block.lines.length)).toEqual([100, 100, 50]);
});

test("drops the oldest beyond its capacity and knows that they are elsewhere", () => {
  const log = new LogBuffer(300);
  log.append(lines(1, 1_000));
  expect(held(log)).toEqual(range(701, 1_000));
  expect(log.hasEarlier).toBe(true);
});

test("takes earlier pages before the first line", () => {
  const log = new LogBuffer();
  log.restart(lines(601, 700));
  expect(log.hasEarlier).toBe(true);
  log.prepend({ logs: lines(101, 605), has_more: true });
  log.prepend({ logs: lines(1, 100), has_more: false });
  expect(held(log)).toEqual(range(1, 700));
  expect(log.hasEarlier).toBe(false);
  log.append(lines(690, 710));
  expect(held(log)).toEqual(range(1, 710));
});

test("a snapshot that touches the log goes on with it, one that does not replaces it", () => {
  const log = new LogBuffer();
  log.restart(lines(1, 100));
  log.restart(lines(51, 150));
  expect(held(log)).toEqual(range(1, 150));
  log.restart(lines(500, 600));
  expect(held(log)).toEqual(range(500, 600));
  expect(log.hasEarlier).toBe(true);
  log.restart([]);
  expect(held(log)).toEqual(range(500, 600));
});

test("a window follows the end or stays where one reads", () => {
  const log = new LogBuffer();
  log.append(lines(1, 1_000));
  expect(log.window(null, 2).blocks.map((block) => block.key)).toEqual([801, 901]);
  expect(log.window(null, 2).more).toBe(false);
  const reading = log.window(301, 2);
  expect(reading.blocks.map((block) => block.key)).toEqual([301, 401]);
  expect(reading.more).toBe(true);
  log.append(lines(1_001, 1_200));
  expect(log.window(301, 2).blocks).toEqual(reading.blocks);
});

test("a window whose first block was dropped begins with the oldest that is left", () => {
  const log = new LogBuffer(300);
  log.append(lines(1, 300));
  log.append(lines(301, 900));
  expect(log.window(101, 2).blocks[0]?.key).toBe(601);
});
