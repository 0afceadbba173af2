// @vitest-environment happy-dom
import { expect, test } from "vitest";
import { jobAddress, KEYS_ADDRESS, routeOf, runAddress, safeNext } from "./routes";

test.each([
  ["/", { name: "runs", id: "" }],
  ["/?status=FAILURE#x", { name: "runs", id: "" }],
  ["/runs/0199-a?phase=b#error", { name: "run", id: "0199-a" }],
  ["/runs/1/", { name: "run", id: "1" }],
  ["/settings/keys", { name: "settings", id: "keys" }],
  ["/settings/notifications/", { name: "settings", id: "notifications" }],
  ["/settings/none", null],
  ["/trail", { name: "trail", id: "" }],
  ["/runs/2b0c/compare?with=1a2b", { name: "compare", id: "2b0c" }],
  ["/jobs/shop.mail?window=24h", { name: "job", id: "shop.mail" }],
  ["/jobs/shop/mail%20all/", { name: "job", id: "shop/mail all" }],
  ["/jobs/%ff", null],
  ["/jobs/", { name: "jobs", id: "" }],
  ["/jobs?scope=mine", { name: "jobs", id: "" }],
  ["/login?next=%2F", { name: "login", id: "" }],
  ["/runs", null],
  ["/settings", null],
  ["/runs/1/2", null],
  ["//example.org", null],
])("%j is the page %j", (address, route) => expect(routeOf(address)).toEqual(route));

test("the menu leads to the page of API keys", () => {
  expect(routeOf(KEYS_ADDRESS)?.name).toBe("settings");
});

test("the address of a run is that of its page", () => {
  expect(runAddress("a b")).toBe("/runs/a%20b");
  expect(routeOf(runAddress("0199-a"))).toEqual({ name: "run", id: "0199-a" });
});

test("the address of a job is that of its page, whatever its name", () => {
  expect(jobAddress("shop/mail #1?")).toBe("/jobs/shop/mail%20%231%3F");
  expect(routeOf(jobAddress("shop/mail #1?"))).toEqual({ name: "job", id: "shop/mail #1?" });
});

test.each([
  ["/runs/1?x=2#L3", "/runs/1?x=2#L3"],
  [null, "/"],
  ["/login?next=/", "/"],
  ["https://example.org/", "/"],
  ["//example.org", "/"],
  ["/.//example.org", "/"],
])("after signing in %j leads to %j", (next, to) => expect(safeNext(next)).toBe(to));
