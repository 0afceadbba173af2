// @vitest-environment happy-dom
import { expect, test, vi } from "vitest";
import type { User } from "../client/types";
import { filterOf } from "./filter";

const call = vi.fn(async () => ({ task_id: "made" }));
vi.mock("./app", () => ({ session: { call: (...given: unknown[]) => call(...(given as [])) }, api: {}, mayAct: { value: true } }));
const { act, meantText, targetsOf } = await import("./bulk");
const { toasts } = await import("./bell");

test("some are named by their ids, all by the filter that the list was asked for", () => {
  const user = { tenant: "acme", role: "operator" } as User;
  const filter = filterOf("/?status=PENDING&job_type=import&scope=tenant", user);

  expect(targetsOf(["a", "b"], false, filter)).toEqual({ ids: ["a", "b"] });
  expect(targetsOf(["a"], true, filter)).toEqual({
    filter: expect.objectContaining({ status: "PENDING", job_type: "import", scope: "tenant" }),
  });
  expect(Object.values((targetsOf([], true, filterOf("/", user)) as { filter: object }).filter)).not.toContain("");
});

test("a retry by a filter says when it is of those that succeeded too", () => {
  const filter = filterOf("/?q=Night", { tenant: null, role: "operator" } as User);

  expect(targetsOf([], true, filter, true)).toEqual({ filter: { q: "Night" }, succeeded: true });
  expect(targetsOf([], true, filter)).not.toHaveProperty("succeeded");
  expect(targetsOf(["a"], false, filter, true)).toEqual({ ids: ["a"] });
});

test.each([
  ["retry", { REVOKED: 652, FAILURE: 54, SUCCESS: 74 }, "652 cancelled, 54 failed and 74 that succeeded"],
  ["retry", { FAILURE: 1, PENDING: 1_200, STARTED: 34 }, "1 failed and 1,234 that have not ended"],
  ["retry", { SUCCESS: 2, FAILURE: 0 }, "2 that succeeded"],
  ["cancel", { PENDING: 3, WAITING: 1, SUCCESS: 700, REVOKED: 6 }, "4 that have not ended and 706 that have ended"],
  ["cancel", { PENDING: 3 }, "3 that have not ended"],
] as const)("what is meant is told before a %s of %j", (action, meant, text) => {
  expect(meantText(action, meant)).toBe(text);
});

test("a toast leads to the run of the action", async () => {
  await act("cancel", { ids: ["a", "b"] }, 2, "once");

  expect(call).toHaveBeenCalledWith("POST", "/api/v2/tasks/bulk", { action: "cancel", ids: ["a", "b"] }, { "Idempotency-Key": "once" });
  expect(toasts.shown.value).toMatchObject([{ title: "Cancelling 2 runs", action_url: "/runs/made" }]);
});
