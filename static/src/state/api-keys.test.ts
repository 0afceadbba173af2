import { expect, test, vi } from "vitest";
import { Problem } from "../client/problem";
import type { ApiKey, ApiKeyPage, NewApiKey } from "../client/apiKeys";
import type { User } from "../client/types";
import { ApiKeys, hasExpired, scopesFor, seesTenantKeys, usualScopes } from "./api-keys";

const row = (id: string): ApiKey => ({
  id,
  name: `key ${id}`,
  prefix: "trk_abcdef",
  scopes: ["report"],
  tenant: null,
  owner: "ann@example.org",
  created_at: "2026-11-29T10:00:00Z",
  expires_at: null,
  last_used_at: null,
});

function fake(...pages: ApiKeyPage[]) {
  return {
    keys: vi.fn(async (_scope: "own" | "tenant", _cursor?: string) => pages.shift() ?? { keys: [], next: null }),
    makeKey: vi.fn(async (): Promise<NewApiKey> => ({ ...row("new"), key: "trk_secret" })),
    revokeKey: vi.fn(async (_id: string) => undefined),
  };
}

const user = (role: string, tenant: string | null = null): User => ({ id: "u", email: "ann@example.org", role, tenant });

test("pages of the list are joined, and another list begins anew", async () => {
  const api = fake({ keys: [row("b")], next: "cursor" }, { keys: [row("a")], next: null }, { keys: [row("c")], next: null });
  const keys = new ApiKeys(api);

  await keys.load();
  await keys.more();
  expect(keys.rows.value?.map(({ id }) => id)).toEqual(["b", "a"]);
  expect(keys.next.value).toBeNull();

  await keys.load("tenant");
  expect(keys.rows.value?.map(({ id }) => id)).toEqual(["c"]);
  expect(api.keys.mock.calls).toEqual([["own", undefined], ["own", "cursor"], ["tenant", undefined]]);
});

test("a late answer about the list before changes nothing", async () => {
  const api = fake();
  const answers: ((page: ApiKeyPage) => void)[] = [];
  api.keys.mockImplementation(() => new Promise((resolve) => answers.push(resolve)));
  const keys = new ApiKeys(api);

  const loads = [keys.load(), keys.load("tenant")];
  answers[1]?.({ keys: [row("theirs")], next: null });
  answers[0]?.({ keys: [row("mine")], next: null });
  await Promise.all(loads);

  expect(keys.rows.value?.map(({ id }) => id)).toEqual(["theirs"]);
});

test("a key that is made can be seen until it is revoked", async () => {
  const api = fake({ keys: [row("new")], next: null });
  const keys = new ApiKeys(api);

  await keys.make({ name: "key new", scopes: ["report"], expires_in: null });
  expect(keys.made.value?.key).toBe("trk_secret");
  expect(keys.rows.value).toHaveLength(1);

  await keys.revoke("new");
  expect(keys.made.value).toBeNull();
  expect(keys.rows.value).toEqual([]);
});

test("a key that is gone already leaves the list, and any other refusal is told", async () => {
  const api = fake({ keys: [row("a"), row("b")], next: null });
  const keys = new ApiKeys(api);
  await keys.load();

  api.revokeKey.mockRejectedValueOnce(new Problem(404, "Not Found"));
  await keys.revoke("a");
  api.revokeKey.mockRejectedValueOnce(new Problem(503, "Service Unavailable"));
  await expect(keys.revoke("b")).rejects.toThrow("Service Unavailable");

  expect(keys.rows.value?.map(({ id }) => id)).toEqual(["b"]);
});

test("a list that cannot be loaded says so and keeps what was known", async () => {
  const api = fake({ keys: [row("a")], next: null });
  const keys = new ApiKeys(api);
  await keys.load();
  api.keys.mockRejectedValueOnce(new Problem(0, "The server does not answer"));

  await keys.load();

  expect(keys.problem.value?.title).toBe("The server does not answer");
  expect(keys.rows.value).toHaveLength(1);
});

test("a viewer is offered the scope that it can use", () => {
  expect(scopesFor(user("viewer"))).toEqual(["read"]);
  expect(scopesFor(user("operator"))).toEqual(["report", "read", "start", "act"]);
  expect(usualScopes(user("viewer"))).toEqual(["read"]);
  expect(usualScopes(user("operator"))).toEqual(["report", "read"]);
});

test("an admin of a tenant may see its keys", () => {
  expect(seesTenantKeys(user("admin", "acme"))).toBe(true);
  expect(seesTenantKeys(user("global_admin", "acme"))).toBe(true);
  expect(seesTenantKeys(user("admin"))).toBe(false);
  expect(seesTenantKeys(user("operator", "acme"))).toBe(false);
});

test("a key has expired at its time", () => {
  const key = { ...row("a"), expires_at: "2026-11-29T10:00:00Z" };
  expect(hasExpired(key, Date.parse("2026-11-29T09:59:59Z"))).toBe(false);
  expect(hasExpired(key, Date.parse("2026-11-29T10:00:00Z"))).toBe(true);
  expect(hasExpired(row("b"), Infinity)).toBe(false);
});
