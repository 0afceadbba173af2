import { expect, test, vi } from "vitest";
import type { Webhook } from "../client/account";
import { Problem } from "../client/problem";
import { Webhooks } from "./webhooks";

const hook = (id: string, more: Partial<Webhook> = {}): Webhook => ({
  id,
  url: `https://${id}.example.org/`,
  event_types: ["task_completed"],
  scope: "user",
  enabled: true,
  failures: 0,
  disabled_at: null,
  created_at: "2026-11-30T10:00:00Z",
  ...more,
});
const BODY = { url: "https://b.example.org/", event_types: ["task_completed"], scope: "user" } as const;

test("a webhook is made, paused and removed, and its secret is shown until it is gone", async () => {
  const made = { ...hook("b"), secret: "whsec_x" };
  const api = {
    webhooks: vi.fn().mockResolvedValueOnce([hook("a")]).mockResolvedValueOnce([hook("a"), hook("b")]),
    makeWebhook: vi.fn().mockResolvedValue(made),
    enableWebhook: vi.fn().mockResolvedValue(hook("b", { enabled: false })),
    removeWebhook: vi.fn().mockResolvedValue(undefined),
  };
  const hooks = new Webhooks(api);
  await hooks.load();
  await hooks.make(BODY);
  await hooks.enable("b", false);
  expect(hooks.rows.value?.map(({ id, enabled }) => [id, enabled])).toEqual([
    ["a", true],
    ["b", false],
  ]);
  expect(hooks.made.value?.secret).toBe("whsec_x");
  await hooks.remove("b");
  expect([hooks.rows.value?.map(({ id }) => id), hooks.made.value]).toEqual([["a"], null]);
});

test("one that was removed elsewhere is gone; another failure keeps it", async () => {
  const removeWebhook = vi.fn().mockRejectedValueOnce(new Problem(503, "away")).mockRejectedValueOnce(new Problem(404, "gone"));
  const hooks = new Webhooks({ webhooks: () => Promise.resolve([hook("a")]), makeWebhook: vi.fn(), enableWebhook: vi.fn(), removeWebhook });
  await hooks.load();
  await expect(hooks.remove("a")).rejects.toThrow();
  expect(hooks.rows.value).toHaveLength(1);
  await hooks.remove("a");
  expect(hooks.rows.value).toEqual([]);
});
