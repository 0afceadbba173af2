import { expect, test, vi } from "vitest";
import { Lazy } from "./lazy";

test("the code is imported once, when it is first needed", async () => {
  const importCode = vi.fn(async () => "code");
  const lazy = new Lazy(importCode);
  expect([importCode.mock.calls.length, lazy.value.value]).toEqual([0, null]);
  await Promise.all([lazy.load(), lazy.load()]);
  await lazy.load();
  expect([importCode.mock.calls.length, lazy.value.value, lazy.failed.value]).toEqual([1, "code", false]);
});

test("code that cannot be loaded is tried again the next time", async () => {
  const importCode = vi.fn(async () => "code").mockRejectedValueOnce(new TypeError("network"));
  const lazy = new Lazy(importCode);
  await lazy.load();
  expect([lazy.value.value, lazy.failed.value]).toEqual([null, true]);
  await lazy.load();
  expect([lazy.value.value, lazy.failed.value]).toEqual(["code", false]);
});
