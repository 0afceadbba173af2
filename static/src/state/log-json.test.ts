import { expect, test } from "vitest";
import type { LogLine } from "../client/types";
import { jsonOf } from "./log-json";

const json = (message: string): unknown => jsonOf({ message } as LogLine);

test("a line that is an object or a list opens", () => {
  expect(json('{"a": [1, 2]}')).toEqual({ a: [1, 2] });
  expect(json('[{"a": 1}]')).toEqual([{ a: 1 }]);
});

test("any other line does not", () => {
  for (const text of ["", "{}", "[]", "12", '"a"', "null", "[2026-11-30] started", "{broken", '{"a": 1} and more']) {
    expect(json(text), text).toBeUndefined();
  }
});

test("a number is shown as it was written", () => {
  const { id, price, n } = json('{"id": 9007199254740993, "price": 1.50, "n": 3}') as Record<string, unknown>;
  expect([String(id), String(price), n]).toEqual(["9007199254740993", "1.50", 3]);
});
