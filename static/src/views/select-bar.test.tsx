// @vitest-environment happy-dom
import { cleanup, fireEvent, render, screen } from "@testing-library/preact";
import { afterEach, expect, test, vi } from "vitest";
import { task } from "../state/runs.fake";
import { begin, runs, server, settled, withRuns } from "../state/runs-stage.fake";
import { selection } from "../state/selection";

const call = vi.fn(async () => ({ task_id: "made" }));
vi.mock("../state/app", () => ({ session: { call: (...given: unknown[]) => call(...(given as [])) }, api: {}, mayAct: { value: true } }));
const { SelectBar } = await import("./select-bar");

withRuns();
afterEach(() => {
  cleanup();
  selection.clear();
  call.mockClear();
});

async function press(name: string): Promise<void> {
  fireEvent.click(screen.getByRole("button", { name }));
  await settled();
}
const body = (): unknown => (call.mock.calls as unknown[][])[0]?.[2];

test("a retry of all that match says how they ended, and leaves out what succeeded unless it is wanted", async () => {
  server.tally.counts = { ...server.tally.counts, REVOKED: 652, FAILURE: 54, SUCCESS: 74 };
  await begin();
  selection.selectAll(runs.order.value ?? []);
  render(<SelectBar runs={runs} />);
  await press("Retry");
  expect(screen.getByText("Selected: 652 cancelled, 54 failed and 74 that succeeded.")).toBeTruthy();
  expect(screen.getByRole("heading").textContent).toBe("Retry 706 runs?");

  fireEvent.click(screen.getByRole("checkbox", { name: "Also the 74 that succeeded" }));
  await press("Retry 780 runs");
  expect(body()).toEqual({ action: "retry", filter: { top: true }, succeeded: true });
});

test("of runs that were chosen one by one those that succeeded are left out too", async () => {
  await begin("/", 3);
  runs.row(task(2).task_id).value = { ...runs.row(task(2).task_id).value, task: task(2, "FAILURE") };
  for (const n of [1, 2, 3]) selection.toggle(task(n).task_id);
  render(<SelectBar runs={runs} />);
  await press("Retry");
  expect(screen.getByText("Selected: 1 failed and 2 that succeeded.")).toBeTruthy();
  await press("Retry 1 run");
  expect(body()).toEqual({ action: "retry", ids: [task(2).task_id] });
});

test("where all of them succeeded that is what is meant", async () => {
  await begin("/", 2);
  for (const n of [1, 2]) selection.toggle(task(n).task_id);
  render(<SelectBar runs={runs} />);
  await press("Retry");
  expect(screen.queryByRole("checkbox")).toBeNull();
  await press("Retry 2 runs");
  expect(body()).toEqual({ action: "retry", ids: [task(1).task_id, task(2).task_id] });
});

test("where not all are counted it is said in words", async () => {
  server.tally.counts = { ...server.tally.counts, SUCCESS: 5_000 };
  server.tally.complete = false;
  await begin();
  selection.selectAll(runs.order.value ?? []);
  render(<SelectBar runs={runs} />);
  await press("Retry");
  expect(screen.getByRole("checkbox", { name: "Also those that succeeded" })).toBeTruthy();
  await press("Retry all matching runs");
  expect(body()).toEqual({ action: "retry", filter: { top: true } });
});

test("a cancel says how many have not ended", async () => {
  server.tally.counts = { ...server.tally.counts, PENDING: 24, SUCCESS: 706 };
  await begin();
  selection.selectAll(runs.order.value ?? []);
  render(<SelectBar runs={runs} />);
  await press("Cancel");
  expect(screen.getByText("Selected: 24 that have not ended and 706 that have ended.")).toBeTruthy();
  await press("Cancel 730 runs");
  expect(body()).toEqual({ action: "cancel", filter: { top: true } });
});
