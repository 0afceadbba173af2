// @vitest-environment happy-dom
import { expect, test } from "vitest";
import type { Notification } from "../client/types";
import { targetOf } from "./notification-target";

const target = (action_url: string | null, more: Partial<Notification> = {}) =>
  targetOf({ action_url, related_type: null, related_id: null, ...more } as Notification);
const origin = location.origin;

test("a notification leads to a page of the dashboard, of this site or of another one", () => {
  expect(target("/runs/1?x=2#L3")).toEqual({ to: "/runs/1?x=2#L3", here: true });
  expect(target(`${origin}/`)).toEqual({ to: "/", here: true });
  expect(target("/api/docs")).toEqual({ to: "/api/docs", here: false });
  expect(target("https://example.org/a")).toEqual({ to: "https://example.org/a", here: false });
});

test("without an address, to its task", () => {
  expect(target(null, { related_type: "task", related_id: "a b" })).toEqual({ to: "/runs/a%20b", here: true });
  expect(target(null, { related_type: "invoice", related_id: "1" })).toBeNull();
});

test.each(["javascript:alert(1)", "data:text/html,x", "//example.org", "/\\example.org", "/\t/example.org", "/.//example.org", "ftp://a/b"])(
  "%j leads nowhere",
  (address) => expect(target(address)).toBeNull(),
);
