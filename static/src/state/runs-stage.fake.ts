import { afterEach, beforeEach, vi } from "vitest";
import { filterOf } from "./filter";
import { Runs } from "./runs";
import { FakeServer, task } from "./runs.fake";

const user = { id: "u", email: "a@example.org", role: "operator", tenant: "acme" };

export let server: FakeServer;
export let runs: Runs;

/** Gives each test of a file a server and a clock of its own; `begin` makes the list. */
export function withRuns(): void {
  beforeEach(() => {
    vi.useFakeTimers();
    server = new FakeServer();
  });
  afterEach(() => {
    runs.stop();
    vi.useRealTimers();
  });
}

export const settled = (ms = 0): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);
export const numbers = (): number[] => (runs.order.value ?? []).map((id) => Number(id.slice(3)));
export const status = (n: number): string => runs.row(task(n).task_id).value.task.status;

/** Lists `count` runs as the address asks for. */
export async function begin(address = "/", count = 3): Promise<void> {
  server.tasks = Array.from({ length: count }, (_, n) => task(n + 1));
  runs = new Runs(server.api, server.connection, filterOf(address, user));
  runs.start();
  await settled();
}
