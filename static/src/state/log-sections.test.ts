import { expect, test } from "vitest";
import type { LogSection } from "../client/types";
import { pathOf, sectionAt, sectionsBetween, sectionsOf } from "./log-sections";

const section = (kind: LogSection["kind"], name: string, first: number, last: number | null): LogSection => ({
  kind,
  name,
  group_id: kind === "group" ? `${first}` : null,
  first_sequence: first,
  last_sequence: last,
  started_at: "2026-01-02T03:04:05.000000Z",
  ended_at: last === null ? null : "2026-01-02T03:04:06.000000Z",
});
const names = (sequence: number, ...given: LogSection[]): string =>
  pathOf(sectionAt(sectionsOf(given), sequence)).map(({ label }) => label).join(" > ");

test("a line is in the sections that began before it and have not ended", () => {
  const given = [section("phase", "read", 2, 40), section("group", "a", 10, 30), section("group", "b", 15, 20), section("phase", "send", 41, null)];
  expect(names(1, ...given)).toBe("");
  expect(names(10, ...given), "the event that begins a section is not within it").toBe("read");
  expect(names(11, ...given)).toBe("read > a");
  expect(names(16, ...given)).toBe("read > a > b");
  expect(names(25, ...given)).toBe("read > a");
  expect(names(40, ...given)).toBe("read");
  expect(names(41, ...given)).toBe("");
  expect(names(10_000, ...given), "one that is open goes on").toBe("send");
});

test("one attempt is the whole log, several are its sections", () => {
  const first = [section("attempt", "1", 1, 20), section("phase", "read", 2, 19)];
  expect(names(5, ...first)).toBe("read");
  expect(names(5, ...first, section("attempt", "2", 25, null))).toBe("Attempt 1 > read");
  expect(names(30, ...first, section("attempt", "2", 25, null))).toBe("Attempt 2");
});

test("an attempt that has waited for an approval is one section", () => {
  const waited = [section("attempt", "1", 1, 20), section("phase", "read", 2, 20), section("attempt", "1", 25, 60), section("phase", "send", 26, 60)];
  expect(names(30, ...waited), "of one attempt there is no header").toBe("send");
  const given = [...waited, section("attempt", "2", 65, null)];
  expect(names(22, ...given), "while it waits").toBe("Attempt 1");
  expect(names(30, ...given)).toBe("Attempt 1 > send");
  expect(names(70, ...given)).toBe("Attempt 2");
  expect(sectionsOf(given).map(({ label }) => label)).toEqual(["Attempt 1", "read", "send", "Attempt 2"]);
});

test("a section that ends after the one around it is cut there", () => {
  const given = [section("group", "a", 2, 10), section("group", "b", 5, 20)];
  expect(sectionsOf(given).map(({ first, last, depth }) => [first, last, depth])).toEqual([
    [2, 10, 0],
    [5, 10, 1],
  ]);
  expect(names(15, ...given)).toBe("");
});

test("those that begin in a block are found by its sequences", () => {
  const given = sectionsOf([section("phase", "a", 25, 40), section("phase", "b", 41, 60), section("phase", "c", 50, null)]);
  const begin = (after: number, upTo: number): string => sectionsBetween(given, after, upTo).map(({ label }) => label).join("");
  expect([begin(0, 25), begin(25, 50), begin(50, 75)]).toEqual(["a", "bc", ""]);
});
