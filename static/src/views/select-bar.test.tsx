// @vitest-environment happy-dom
import { cleanup, fireEvent, render, screen } from "@testing-library/preact";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { User } from "../client/types";
import { filterOf } from "../state/filter";
import { FakeServer, task } from "../state/runs.fake";
import { Runs } from "../state/runs";
import { selection } from "../state/selection";

const call = vi.fn(async () => ({ task_id: "made" }));
vi.mock("../state/app", () => ({ session: { call: (...given: unknown[]) => call(...(given as [])) }, api: {}, mayAct: { value: true } }));
const { SelectBar } = await import("./select-bar");

let server: FakeServer;
let runs: Runs;

beforeEach(() => void (server = new FakeServer()));
afterEach(() => {
  cleanup();
  runs.stop();
  selection.clear();
  call.mockClear();
});

async function begin(count = 3): Promise<void> {
  server.tasks = Array.from({ length: count }, (_, n) => task(n + 1));
  runs = new Runs(server.api, server.connection, filterOf("/", { tenant: null, role: "operator" } as User));
  runs.start();
  await vi.waitFor(() => expect(runs.order.value).not.toBeNull());
}

const press = (name: string): unknown => fireEvent.click(screen.getByRole("button", { name }));
const sent = (): Promise<void> => vi.waitFor(() => expect(call).toHaveBeenCalledOnce());
const body = (): unknown => (call.mock.calls as unknown[][])[0]?.[2];

test("a retry of all that match says how they ended, and leaves out what succeeded unless it is wanted", async () => {
  server.tally.counts = { ...server.tally.counts, REVOKED: 652, FAILURE: 54, SUCCESS: 74 };
  await begin();
  selection.selectAll(runs.order.value ?? []);
  render(<SelectBar runs={runs} />);
  press("Retry");
  expect(screen.getByText("Selected: 652 cancelled, 54 failed and 74 that succeeded.")).toBeTruthy();
  expect(screen.getByRole("heading").textContent).toBe("Retry 706 runs?");

  fireEvent.click(screen.getByRole("checkbox", { name: "Also the 74 that succeeded" }));
  press("Retry 780 runs");
  await sent();
  expect(body()).toEqual({ action: "retry", filter: { top: true }, succeeded: true });
});

test("of runs that were chosen one by one those that succeeded are left out too", async () => {
  await begin();
  runs.row(task(2).task_id).value = { ...runs.row(task(2).task_id).value, task: task(2, "FAILURE") };
  for (const n of [1, 2, 3]) selection.toggle(task(n).task_id);
  render(<SelectBar runs={runs} />);
  press("Retry");
  expect(screen.getByText("Selected: 1 failed and 2 that succeeded.")).toBeTruthy();
  press("Retry 1 run");
  await sent();
  expect(body()).toEqual({ action: "retry", ids: [task(2).task_id] });
});

test("where all of them succeeded that is what is meant", async () => {
  await begin(2);
  for (const n of [1, 2]) selection.toggle(task(n).task_id);
  render(<SelectBar runs={runs} />);
  press("Retry");
  expect(screen.queryByRole("checkbox")).toBeNull();
  press("Retry 2 runs");
  await sent();
  expect(body()).toEqual({ action: "retry", ids: [task(1).task_id, task(2).task_id] });
});

test("where not all are counted it is said in words", async () => {
  server.tally.counts = { ...server.tally.counts, SUCCESS: 5_000 };
  server.tally.complete = false;
  await begin();
  selection.selectAll(runs.order.value ?? []);
  render(<SelectBar runs={runs} />);
  press("Retry");
  expect(screen.getByRole("checkbox", { name: "Also those that succeeded" })).toBeTruthy();
  press("Retry all matching runs");
  await sent();
  expect(body()).toEqual({ action: "retry", filter: { top: true } });
});

test("a cancel says how many have not ended", async () => {
  server.tally.counts = { ...server.tally.counts, PENDING: 24, SUCCESS: 706 };
  await begin();
  selection.selectAll(runs.order.value ?? []);
  render(<SelectBar runs={runs} />);
  press("Cancel");
  expect(screen.getByText("Selected: 24 that have not ended and 706 that have ended.")).toBeTruthy();
  press("Cancel 730 runs");
  await sent();
  expect(body()).toEqual({ action: "cancel", filter: { top: true } });
});
