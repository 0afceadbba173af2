import { expect, test } from "vitest";
import type { TrailEntry } from "../client/account";
import { trailDownload } from "../client/accountApi";
import { dayName, daysOf, deedOf, doerOf, isForeign, refusalOf, trailAddress, trailFilterOf, trailQueryOf } from "./trail";

const WHO = "0b7c3f0e-5d1e-4a7e-9b9e-2f4d3c1a0b55";
const entry = (more: Partial<TrailEntry> = {}): TrailEntry => ({
  id: "1",
  at: "2026-11-30T10:00:00Z",
  last_at: null,
  number: 1,
  action: "cancel",
  outcome: "ok",
  user_id: WHO,
  user_name: "ann@example.org",
  key_id: null,
  key_name: null,
  address: null,
  kind: "task",
  target: WHO,
  title: "Nightly import",
  owner_id: null,
  owner: null,
  tenant: null,
  note: "",
  bulk_id: null,
  refused: 0,
  ...more,
});

test("a filter is the same after it was an address, and knows no other values", () => {
  const filter = { action: "approvals", who: WHO, span: "7d", q: "night & day" };
  expect(trailFilterOf(trailAddress(filter))).toEqual(filter);
  expect(trailFilterOf("/trail?action=jump&who=ann&time=9y")).toEqual({ action: "", who: "", span: "", q: "" });
  expect(trailAddress({ action: "", who: "", span: "", q: "" })).toBe("/trail");
});

test("the server is asked from a time on, and without the mark of an id", () => {
  const now = Date.parse("2026-11-30T10:00:00Z");
  expect(trailQueryOf({ action: "runs", who: "", span: "7d", q: " #0b7c " }, now)).toEqual({
    action: "runs",
    who: "",
    q: "0b7c",
    from: "2026-11-23T10:00:00.000Z",
    folded: undefined,
  });
  expect(trailQueryOf({ action: "", who: "", span: "", q: "" }, now).from).toBeUndefined();
});

test("what bulk actions did to each run is left out of the list, but neither of a search nor of the file", () => {
  const filter = { action: "", who: "", span: "", q: "" };
  expect(trailQueryOf(filter, 0).folded).toBe("true");
  expect(trailQueryOf({ ...filter, q: "night" }, 0).folded).toBeUndefined();
  expect(trailDownload(trailQueryOf({ ...filter, action: "runs" }, 0))).toBe("/api/v2/trail/export?action=runs");
});

test("an owner's part of a bulk action has a tenant where its readers may not read the whole", () => {
  expect(isForeign(entry({ action: "bulk_cancel", tenant: "acme" }))).toBe(false);
  expect(isForeign(entry({ action: "bulk_cancel", owner_id: WHO }))).toBe(false);
  expect(isForeign(entry({ action: "bulk_cancel", owner_id: WHO, tenant: "acme" }))).toBe(true);
});

test.each([
  [{ action: "cancel" }, "cancelled", null],
  [{ action: "bulk_retry", number: 302 }, "retried", null],
  [{ action: "sign_in" }, "signed in", null],
  [{ action: "sign_in", outcome: "unauthorized" }, "could not sign in", "wrong password"],
  [{ action: "refused", outcome: "forbidden" }, "was not allowed", "no right to it"],
  [{ action: "of_tomorrow" }, "of tomorrow", null],
])("%j is said as %j", (more, words, refusal) => {
  expect(deedOf(entry(more))).toBe(words);
  expect(refusalOf(entry(more))).toBe(refusal);
});

test("who did it has a name, also where it has no account", () => {
  expect(doerOf(entry())).toBe("ann@example.org");
  expect(doerOf(entry({ user_name: null }))).toBe("A removed account");
  expect(doerOf(entry({ user_name: null, user_id: null }))).toBe("Somebody unknown");
  expect(doerOf(entry({ user_name: null, user_id: null, note: "share=1" }))).toBe("Somebody with a shared link");
  expect(doerOf(entry({ user_name: null, user_id: null, note: "of many kinds" }))).toBe("Several");
});

test("entries stand under their days", () => {
  const at = (day: number, hour: number): string => new Date(2026, 10, day, hour).toISOString();
  const days = daysOf([entry({ at: at(30, 9) }), entry({ at: at(30, 1) }), entry({ at: at(29, 23) }), entry({ at: at(2, 8) })]);
  const now = new Date(2026, 10, 30, 12).getTime();
  expect(days.map(({ at, entries }) => [dayName(at, now), entries.length])).toEqual([
    ["Today", 2],
    ["Yesterday", 1],
    ["Monday, November 2, 2026", 1],
  ]);
});
