import { expect, test } from "vitest";
import { isLate, timeText } from "./log-time";

const at = (seconds: string): string => `2026-01-02T03:04:${seconds}Z`;
const START = Date.parse(at("00.000000"));

test("the time of a line is by the clock, since the start or since the line before", () => {
  expect(timeText("clock", at("05.250000"), START, at("05.000000"))).toMatch(/^\d\d:\d\d:05\.250$/);
  expect(timeText("start", at("05.250000"), START, at("05.000000"))).toBe("0:05.250");
  expect(timeText("start", "2026-01-02T05:14:05.250000Z", START, null)).toBe("2:10:05.250");
  expect(timeText("line", at("05.250000"), START, at("05.000000"))).toBe("+0.250");
  expect(timeText("line", "2026-01-02T03:05:15.250000Z", START, at("05.000000"))).toBe("+1:10.250");
});

test("a time that is not known is empty, and none is before the start", () => {
  expect(timeText("start", at("05.250000"), null, null)).toBe("");
  expect(timeText("line", at("05.250000"), START, null)).toBe("");
  expect(timeText("start", "2026-01-02T03:03:59.900000Z", START, null)).toBe("0:00.000");
});

test("a pause of a second is a long one", () => {
  expect([isLate(at("05.999000"), at("05.000000")), isLate(at("06.000000"), at("05.000000")), isLate(at("05.0"), null)]).toEqual([
    false,
    true,
    false,
  ]);
});
