// @vitest-environment happy-dom
import { render } from "preact";
import { act } from "preact/test-utils";
import { expect, test, vi } from "vitest";
import { NOTHING } from "../client/fold";
import { Problem } from "../client/problem";
import type { LogLine, LogPage, Task, TaskState } from "../client/types";
import type { LoadLog } from "../state/log-source";
import type { LogView } from "../state/log-view";

vi.mock("../client/connection", () => ({
  PageConnection: class {
    link = { kind: "connecting" };
    listen = () => () => undefined;
    retryNow = () => undefined;
  },
}));
const { Failure } = await import("./failure");

const line = (sequence: number, message: string, component: string | null = null): LogLine => ({
  sequence,
  timestamp: "2026-01-01T00:00:00Z",
  level: "INFO",
  message,
  component,
  phase: null,
});
const page = (...logs: LogLine[]): LogPage => ({ logs, next_sequence: 90, before_sequence: 1, has_more: false });

const state = (fields: Partial<Task>): TaskState => ({
  task: { ...NOTHING.task, task_id: "t", retry_count: 0, status_sequence: 90, finished_at: "2026-01-01T00:00:09Z", ...fields },
  phases: [],
  sequence: 90,
});

async function drawn(of: TaskState, load: LoadLog): Promise<HTMLElement> {
  const root = document.createElement("div");
  await act(async () => render(<Failure state={of} view={{} as LogView} load={load} linked />, root));
  return root;
}

const failed = state({ status: "FAILURE", attempt: 3, error: { type: "ValueError", message: "no amount", traceback: null } });

test("the lines before a failure are asked for again when the server did not answer", async () => {
  vi.useFakeTimers();
  const answers = [() => Promise.reject(new Problem(503, "away")), () => Promise.resolve(page(line(5, "read invoice 5")))];
  const root = await drawn(failed, () => (answers.shift() ?? answers[0]!)());
  expect(root.textContent).not.toContain("read invoice 5");

  await act(async () => void (await vi.advanceTimersByTimeAsync(1_000)));

  expect(root.querySelector(".before")?.textContent).toContain("read invoice 5");
  vi.useRealTimers();
});

test("a run that went on after an approval has failed in its first attempt, and says nothing of attempts", async () => {
  const root = await drawn(failed, async () => page());
  expect(root.querySelector(".failure-facts")?.textContent).not.toContain("attempt");
  const again = await drawn({ ...failed, task: { ...failed.task, retry_count: 1 } }, async () => page());
  expect(again.querySelector(".failure-facts")?.textContent).toContain("attempt 2");
});

test("who has cancelled a run is named, also when it wrote many lines before it stopped", async () => {
  const after = Array.from({ length: 30 }, (_, index) => line(index + 20, `line ${index}`));
  const asked = line(19, "Cancel requested by ada@example.org", "taskroom");
  const cancelled = state({ status: "REVOKED", error: { type: "Cancelled", message: "Cancelled", traceback: null } });
  const root = await drawn(cancelled, async () => page(asked, ...after));
  expect(root.querySelector("h2")?.textContent).toBe("Cancelled by ada@example.org");
});
