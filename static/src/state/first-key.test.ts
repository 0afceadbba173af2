import { expect, test, vi } from "vitest";
import { Problem } from "../client/problem";
import type { ApiKey, ApiKeyPage, NewApiKey } from "../client/apiKeys";
import { FirstKey } from "./first-key";

const row = (id: string, name: string, used: boolean): ApiKey => ({
  id,
  name,
  prefix: "trk_abcdef",
  scopes: ["report"],
  tenant: null,
  owner: "ann@example.org",
  created_at: "2020-01-01T00:00:00Z",
  expires_at: null,
  last_used_at: used ? "2026-11-29T10:00:00Z" : null,
});

function given(...keys: ApiKey[]) {
  const texts = new Map<string, string>();
  const api = {
    keys: vi.fn(async (): Promise<ApiKeyPage> => ({ keys, next: null })),
    makeKey: vi.fn(async (): Promise<NewApiKey> => {
      keys.push(row("new", "first run", false));
      return { ...row("new", "first run", false), key: "trk_secret" };
    }),
    revokeKey: vi.fn(async (_id: string) => undefined),
  };
  const kept = { read: (key: string) => texts.get(key) ?? null, write: (key: string, text: string) => void texts.set(key, text) };
  return { api, kept, shown: () => new FirstKey(api, "ann", kept) };
}

test("a key that may only report is made, for thirty days", async () => {
  const { api, shown } = given();
  const key = shown();

  await key.make();

  expect(key.value.value).toBe("trk_secret");
  expect(api.makeKey).toHaveBeenCalledWith({ name: "first run", scopes: ["report"], expires_in: 2_592_000 });
});

test("looking makes nothing, and asks for nothing", async () => {
  const { api, shown } = given(row("lost", "first run", false));
  const key = shown();

  await key.find();

  expect(key.value.value).toBeNull();
  for (const call of [api.keys, api.makeKey, api.revokeKey]) expect(call).not.toHaveBeenCalled();
});

test("two clicks make one key", async () => {
  const { api, shown } = given();
  const key = shown();

  await Promise.all([key.make(), key.make()]);

  expect(key.value.value).toBe("trk_secret");
  expect(api.makeKey).toHaveBeenCalledTimes(1);
});

test("the same tab shows the same key again", async () => {
  const { api, shown } = given();
  await shown().make();
  const again = shown();

  await again.find();

  expect(again.value.value).toBe("trk_secret");
  expect(api.makeKey).toHaveBeenCalledTimes(1);
  expect(api.revokeKey).not.toHaveBeenCalled();
});

test("one that nobody has used for a day is revoked; used ones, others, and what another tab shows stay", async () => {
  const beside = { ...row("beside", "first run", false), created_at: new Date(Date.now() - 23 * 3_600_000).toISOString() };
  const { api, shown } = given(row("lost", "first run", false), beside, row("used", "first run", true), row("other", "backup", false));

  await shown().make();

  expect(api.revokeKey.mock.calls).toEqual([["lost"]]);
});

test("a key that was revoked meanwhile is made anew", async () => {
  const { api, kept, shown } = given();
  kept.write("taskroom.first-key.ann", JSON.stringify({ id: "gone", key: "trk_gone" }));
  const key = shown();

  await key.find();
  expect(key.value.value).toBeNull();
  await key.make();

  expect(key.value.value).toBe("trk_secret");
  expect(api.makeKey).toHaveBeenCalledTimes(1);
});

test("a refusal is kept as what it is", async () => {
  const { api, shown } = given();
  api.makeKey.mockRejectedValue(new Problem(409, "Too many keys"));
  const key = shown();

  await key.make();

  expect(key.value.value).toEqual(new Problem(409, "Too many keys"));
});
