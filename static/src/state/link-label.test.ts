// @vitest-environment happy-dom
import { signal } from "@preact/signals";
import { expect, test, vi } from "vitest";
import type { Link } from "../client/watch";
import { announced } from "./announce";
import { announceLink, describe } from "./link-label";

test("the word for each way in which the connection stands", () => {
  const words = (
    [
      { kind: "connecting" },
      { kind: "live", wire: "sse" },
      { kind: "reconnecting", until: 0 },
      { kind: "polling", seconds: 10 },
      { kind: "signed out" },
    ] as Link[]
  ).map((state) => describe(state, null).word);
  expect(words).toEqual(["connecting", "live", "reconnecting", "polling every 10 s", "signed out"]);
  expect(describe({ kind: "live", wire: "sse" }, null).title).toBe("live · SSE");
});

test("a page that is behind says by how much, but only while it is live", () => {
  const behind = { kind: "catching up", behind: 1_234 } as const;
  expect(describe({ kind: "live", wire: "socket" }, behind)).toMatchObject({ word: "catching up 1,234", mark: "busy" });
  expect(describe({ kind: "polling", seconds: 10 }, behind).word).toBe("polling every 10 s");
});

test("screen readers hear of a break and of its end, once each, and nothing of the first connection", () => {
  const how = signal<Link>({ kind: "connecting" });
  const heard = vi.fn();
  announced.subscribe(heard);
  heard.mockClear();
  announceLink(how);
  for (const link of [
    { kind: "live", wire: "socket" },
    { kind: "reconnecting", until: 1 },
    { kind: "reconnecting", until: 2 },
    { kind: "connecting" },
    { kind: "live", wire: "socket" },
  ] as Link[]) {
    how.value = link;
  }
  expect(heard.mock.calls).toEqual([["reconnecting"], ["Live again"]]);
});
