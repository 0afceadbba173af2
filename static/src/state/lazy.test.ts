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

test("code that could not be loaded is not tried again: its styles would be missing", async () => {
  const importCode = vi.fn(async () => "code").mockRejectedValueOnce(new TypeError("network"));
  const lazy = new Lazy(importCode);
  await lazy.load();
  expect([lazy.value.value, lazy.failed.value]).toEqual([null, true]);
  await lazy.load();
  expect([lazy.value.value, lazy.failed.value, importCode.mock.calls.length]).toEqual([null, true, 1]);
});
