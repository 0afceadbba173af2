// @vitest-environment happy-dom
import { render } from "preact";
import { act } from "preact/test-utils";
import { expect, test, vi } from "vitest";
import { NOTHING } from "../client/fold";
import type { Task, User } from "../client/types";
import type { Call } from "./use-call";

vi.mock("../client/connection", () => ({
  PageConnection: class {
    link = { kind: "connecting" };
    listen = () => () => undefined;
    retryNow = () => undefined;
  },
}));
const { signedIn } = await import("../state/app");
const { Actions } = await import("./actions");

const call = { busy: false, problem: null, run: () => undefined } as unknown as Call;

/** Returns the names of the buttons that a user who may act sees beside such a task. */
async function offered(fields: Partial<Task>): Promise<string[]> {
  signedIn.value = { kind: "in", user: { id: 1, email: "a@example.org", role: "operator" } as unknown as User };
  const root = document.createElement("div");
  const task = { ...NOTHING.task, task_id: "t", status: "FAILURE", ...fields } as Task;
  await act(() => render(<Actions task={task} approval={null} call={call} />, root));
  return [...root.querySelectorAll(".actions > button, .more > button")].map((button) => button.textContent?.replace("…", "") ?? "");
}

test("a task of ours can be run again, an observed one when its reporter can start it", async () => {
  expect(await offered({})).toContain("Run again");
  expect(await offered({ observed: false, can_retry: null })).toContain("Run again");
  expect(await offered({ job_type: "bulk_action" })).not.toContain("Run again");
  expect(await offered({ observed: true, can_retry: true })).toContain("Run again");
  expect(await offered({ observed: true, can_retry: false })).not.toContain("Run again");
  expect(await offered({ observed: true, can_retry: true, status: "STARTED" })).not.toContain("Run again");
});
