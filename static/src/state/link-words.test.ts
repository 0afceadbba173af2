// @vitest-environment happy-dom
import { signal } from "@preact/signals";
import { expect, test, vi } from "vitest";
import { Problem } from "../client/problem";
import type { Link } from "../client/watch";
import { announced } from "./announce";
import { announceLink, isStale, labelOf } from "./link-words";

test("the word for each state of the connection", () => {
  const words = (
    [
      { kind: "connecting" },
      { kind: "live", wire: "sse" },
      { kind: "reconnecting", until: 0 },
      { kind: "polling", seconds: 10 },
      { kind: "signed out" },
    ] as Link[]
  ).map((state) => labelOf(state, null).word);
  expect(words).toEqual(["connecting", "live", "reconnecting", "polling every 10 s", "signed out"]);
  expect(labelOf({ kind: "live", wire: "sse" }, null).title).toBe("live · SSE");
});

test("a connection is not called live while the server is silent or the run cannot be loaded", () => {
  const live: Link = { kind: "live", wire: "socket" };
  const problem = new Problem(500, "Internal Server Error");
  expect(labelOf(live, null, true)).toMatchObject({ word: "no answer for 12 s", mark: "bad" });
  expect(labelOf({ kind: "reconnecting", until: 0 }, null, true).word).toBe("reconnecting");
  expect(labelOf(live, { kind: "loading", problem })).toMatchObject({ word: "not up to date", mark: "bad" });
});

test("a page that is behind shows by how much, but only while it is live", () => {
  const behind = { kind: "catching up", behind: 1_234 } as const;
  expect(labelOf({ kind: "live", wire: "socket" }, behind)).toMatchObject({ word: "catching up 1,234", mark: "busy" });
  expect(labelOf({ kind: "polling", seconds: 10 }, behind).word).toBe("polling every 10 s");
});

test("screen readers get a break and its end announced, once each, and not the first connection", () => {
  const link = signal<Link>({ kind: "connecting" });
  const changed = vi.fn();
  announced.subscribe(changed);
  changed.mockClear();
  announceLink(link);
  for (const next of [
    { kind: "live", wire: "socket" },
    { kind: "reconnecting", until: 1 },
    { kind: "reconnecting", until: 2 },
    { kind: "connecting" },
    { kind: "live", wire: "socket" },
  ] as Link[]) {
    link.value = next;
  }
  expect(changed.mock.calls).toEqual([["reconnecting"], ["Live again"]]);
});

test("a page is stale while it is neither live nor polling, and once the server is silent, but not after the end of its run", () => {
  const live = { kind: "live", wire: "socket" } as const;
  const current = { kind: "current" } as const;
  expect(isStale(live, current, false)).toBe(false);
  expect(isStale({ kind: "polling", seconds: 5 }, current, false)).toBe(false);
  expect(isStale(live, current, true)).toBe(true);
  expect(isStale(live, { kind: "catching up", behind: 3 }, false)).toBe(true);
  expect(isStale({ kind: "reconnecting", until: 0 }, current, false)).toBe(true);
  expect(isStale({ kind: "reconnecting", until: 0 }, { kind: "ended" }, true)).toBe(false);
});
