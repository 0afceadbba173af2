// @vitest-environment happy-dom
import { expect, test, vi } from "vitest";

vi.mock("../client/connection", () => ({
  PageConnection: class {
    link = { kind: "connecting" };
    listen = () => () => undefined;
  },
}));
const { safeNext } = await import("./app");

test.each([
  ["/runs/1?x=2#L3", "/runs/1?x=2#L3"],
  [null, "/"],
  ["/login?next=/", "/"],
  ["https://example.org/", "/"],
  ["//example.org", "/"],
  ["/.//example.org", "/"],
])("after signing in %j leads to %j", (next, to) => expect(safeNext(next)).toBe(to));
