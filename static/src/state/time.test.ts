// @vitest-environment happy-dom
import { expect, test } from "vitest";
import { moment } from "./format";
import { ago, exact } from "../views/time";

const at = Date.parse("2026-03-10T12:00:00Z");

test.each([
  ["2026-03-10T12:00:05Z", "just now"],
  ["2026-03-10T11:59:00.5Z", "just now"],
  ["2026-03-10T11:56:59Z", "3 min ago"],
  ["2026-03-10T07:00:00Z", "5 h ago"],
  ["2026-03-04T12:00:00Z", "6 d ago"],
])("%s is %s", (timestamp, words) => expect(ago(timestamp, at)).toBe(words));

test("what is older than a week has its date", () => {
  const timestamp = "2026-03-03T12:00:00Z";
  expect(ago(timestamp, at)).toBe(moment(timestamp));
});

test("the exact time has the zone, and the server's own words", () => {
  const timestamp = "2026-03-10T11:59:00.123456Z";
  expect(exact(timestamp)).toMatch(/59:00.123.*(GMT|UTC|[A-Z]{3,4}).*\n2026-03-10T11:59:00\.123456Z$/);
});
