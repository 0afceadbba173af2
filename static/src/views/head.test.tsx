// @vitest-environment happy-dom
import { render } from "preact";
import { act } from "preact/test-utils";
import { expect, test, vi } from "vitest";
import { NOTHING } from "../client/fold";
import type { Below } from "../client/observed";
import type { Phase, Task, TaskState } from "../client/types";

vi.mock("../client/connection", () => ({
  PageConnection: class {
    link = { kind: "connecting" };
    listen = () => () => undefined;
    retryNow = () => undefined;
  },
}));
const { Head } = await import("./head");
const { Phases } = await import("./phases");
const { phaseRows } = await import("../state/phases");

const now = new Date().toISOString();
const phase: Phase = {
  phase_id: "scan",
  status: "in_progress",
  message: "",
  processed_count: 1,
  total_count: 4,
  error_count: 0,
  eta_seconds: 300,
  started_at: now,
  updated_at: now,
  duration_seconds: null,
  sequence: 3,
};

const state = (fields: Partial<Task>, of = phase): TaskState => ({
  task: {
    ...NOTHING.task,
    task_id: "t",
    user_id: "u",
    job_type: "kb",
    title: "Task: kb",
    status: "STARTED",
    is_running: true,
    current_phase: "scan",
    progress: 33.3,
    progress_known: true,
    started_at: now,
    updated_at: now,
    eta_seconds: 3_600,
    retry_count: 0,
    ...fields,
  },
  phases: [of],
  sequence: 3,
});

async function drawn(of: TaskState, below: Below | null = null): Promise<HTMLElement> {
  const root = document.createElement("div");
  const rows = phaseRows(of, []);
  await act(() =>
    render(
      <>
        <Head state={of} rows={rows} approval={null} steps={[]} below={below} joined={false} choose={() => undefined} />
        <Phases state={of} rows={rows} axis={null} names={new Map()} chosen={null} choose={() => undefined} />
      </>,
      root,
    ),
  );
  return root;
}

const bar = (root: HTMLElement, label: string): Element | null => root.querySelector(`[role=progressbar][aria-label="${label}"]`);

test("the head shows progress and estimate of the whole run, the phase its own", async () => {
  const root = await drawn(state({}));
  const head = root.querySelector("header")!;
  expect(bar(root, "Overall progress")?.getAttribute("aria-valuenow")).toBe("33");
  expect(head.textContent).toContain("33 %");
  expect(head.querySelector(".figures")?.textContent).toMatch(/left about (1:00:00|59:5\d)/);
  expect(bar(root, "Overall progress")?.getAttribute("aria-valuetext")).toBe("33 %, phase 1 of 1, scan is running");
  expect(root.querySelector(".phases")?.textContent).toMatch(/1 \/ 4phase ETA [45] m/);
  await act(() => render(null, root));
});

test("a cancelled run says so once, and one that expired says that", async () => {
  const error = { type: "Cancelled", message: "Cancelled" };
  const cancelled = await drawn(state({ status: "REVOKED", finished_at: now, error }));
  expect(cancelled.querySelector("header")?.textContent?.match(/cancelled/gi)).toEqual(["cancelled"]);
  const expired = await drawn(state({ status: "REVOKED", finished_at: now, error: { type: "Expired", message: "No worker took it" } }));
  expect(expired.querySelector(".facts strong")?.textContent).toBe("expired");
  await act(() => (render(null, cancelled), render(null, expired)));
});

test("a run that succeeded says what became of it, where its code has said it", async () => {
  const root = await drawn(state({ status: "SUCCESS", finished_at: now, current_phase: null, current_phase_message: "302 started again, 698 refused" }));
  expect(root.querySelector(".facts")?.textContent).toBe("succeeded · 302 started again, 698 refused");
  await act(() => render(null, root));
  const silent = await drawn(state({ status: "SUCCESS", finished_at: now }));
  expect(silent.querySelector(".facts")?.textContent).toBe("succeeded");
  await act(() => render(null, silent));
});

test("a run that has ended without phases has none, and does not wait for them", async () => {
  const without = (fields: Partial<Task>): TaskState => ({ ...state(fields), phases: [] });
  const root = await drawn(without({ status: "SUCCESS", finished_at: now }));
  expect(root.querySelector(".phases .hint")?.textContent).toBe("This run has no phases.");
  await act(() => render(null, root));
  expect((await drawn(without({}))).querySelector(".phases .hint")?.textContent).toBe("None has begun.");
});

test("where nothing is known there is a bar without an end, no percentage and no estimate", async () => {
  const root = await drawn(state({ progress: 0, progress_known: false, eta_seconds: null }, { ...phase, total_count: null }));
  expect(bar(root, "Overall progress")?.hasAttribute("aria-valuenow")).toBe(false);
  expect(bar(root, "Overall progress")?.classList.contains("unknown")).toBe(true);
  expect(root.textContent).not.toContain("%");
  expect(root.querySelector("header")?.textContent).not.toContain("about");
  await act(() => render(null, root));
});

test("a run that succeeded says what failed below it, and where", async () => {
  const failures = [{ task_id: "b", title: "Chord body: shop.total", job_type: "shop.total", message: "ValueError: no sum" }];
  const below = { tasks: 4, open: 0, failed: 2, failures, complete: true };
  const root = await drawn(state({ status: "SUCCESS", finished_at: now }), below);
  expect(root.querySelector(".facts")?.textContent).toBe("succeeded · 2 tasks below failed");
  const list = root.querySelector('[aria-label="Failed below"]')!;
  expect(list.querySelector("a")?.getAttribute("href")).toBe("/runs/t?step=b");
  expect([...list.children].map((item) => item.textContent)).toEqual(["Chord body: shop.totalValueError: no sum", "1 more"]);
  await act(() => render(null, root));
});

test("where nothing failed below, nothing is said of it", async () => {
  const root = await drawn(state({}), { tasks: 4, open: 1, failed: 0, failures: [], complete: true });
  expect(root.querySelector(".facts")?.textContent).toContain("3 of 4 tasks below");
  expect(root.textContent).not.toContain("failed");
  expect(root.querySelector(".failures-below")).toBeNull();
  await act(() => render(null, root));
});
