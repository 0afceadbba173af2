// @vitest-environment happy-dom
import { expect, test } from "vitest";
import type { Notification } from "../client/types";
import { addressOf } from "./run-search";
import { placeOf } from "./notification-target";

const place = (action_url: string | null, more: Partial<Notification> = {}) =>
  placeOf({ action_url, related_type: null, related_id: null, ...more } as Notification);
const origin = location.origin;

test("a notification leads to a page of the dashboard, of this site or of another one", () => {
  expect(place("/runs/1?x=2#L3")).toEqual({ to: "/runs/1?x=2#L3", here: true });
  expect(place(`${origin}/`)).toEqual({ to: "/", here: true });
  expect(place("/api/docs")).toEqual({ to: "/api/docs", here: false });
  expect(place("https://example.org/a")).toEqual({ to: "https://example.org/a", here: false });
});

test("without an address, to its task", () => {
  expect(place(null, { related_type: "task", related_id: "a b" })).toEqual({ to: "/runs/a%20b", here: true });
  expect(place(null, { related_type: "invoice", related_id: "1" })).toBeNull();
});

test.each(["javascript:alert(1)", "data:text/html,x", "//example.org", "/\\example.org", "/\t/example.org", "/.//example.org", "ftp://a/b"])(
  "%j leads nowhere",
  (address) => expect(place(address)).toBeNull(),
);

const ids = ["0199c3a1-0000-7000-8000-000000000001", "0199c3a2-0000-7000-8000-000000000002"];
const calls = { tasks: async () => ({ tasks: ids.map((task_id) => ({ task_id })) as never, next: null }) };

test.each([
  [ids[0], `/runs/${ids[0]}`],
  [`#${ids[1]?.toUpperCase()}`, `/runs/${ids[1]}`],
  ["0199c3a2", `/runs/${ids[1]}`],
  ["#0199c3a1-0", `/runs/${ids[0]}`],
  ["0199c3a", "/?q=0199c3a"],
  ["cafe", "/?q=cafe"],
  ["knowledge base & more", "/?q=knowledge%20base%20%26%20more"],
  ["", "/"],
])("%j is found at %s", async (text = "", address = "") => expect(await addressOf(text, calls)).toBe(address));
