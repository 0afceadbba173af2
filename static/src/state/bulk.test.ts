// @vitest-environment happy-dom
import { expect, test, vi } from "vitest";
import type { User } from "../client/types";
import { filterOf } from "./filter";

const call = vi.fn(async () => ({ task_id: "made" }));
vi.mock("./app", () => ({ session: { call: (...given: unknown[]) => call(...(given as [])) }, api: {}, mayAct: { value: true } }));
const { act, targetsOf } = await import("./bulk");
const { toasts } = await import("./bell");

test("some are named by their ids, all by the filter that the list was asked for", () => {
  const user = { tenant: "acme", role: "operator" } as User;
  const filter = filterOf("/?status=PENDING&job_type=import&scope=tenant", user);

  expect(targetsOf(new Set(["a", "b"]), false, filter)).toEqual({ ids: ["a", "b"] });
  expect(targetsOf(new Set(["a"]), true, filter)).toEqual({
    filter: expect.objectContaining({ status: "PENDING", job_type: "import", scope: "tenant" }),
  });
  expect(Object.values((targetsOf(new Set(), true, filterOf("/", user)) as { filter: object }).filter)).not.toContain("");
});

test("a toast leads to the run of the action", async () => {
  await act("cancel", { ids: ["a", "b"] }, 2, "once");

  expect(call).toHaveBeenCalledWith("POST", "/api/v2/tasks/bulk", { action: "cancel", ids: ["a", "b"] }, { "Idempotency-Key": "once" });
  expect(toasts.shown.value).toMatchObject([{ title: "Cancelling 2 runs", action_url: "/runs/made" }]);
});
