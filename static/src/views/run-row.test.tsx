// @vitest-environment happy-dom
import { signal } from "@preact/signals";
import { cleanup, render, screen } from "@testing-library/preact";
import { afterEach, expect, test, vi } from "vitest";
import { rowAfterEvent, rowAfterStatusChange, rowOf } from "../state/rows";
import { task } from "../state/runs.fake";

vi.mock("../client/connection", () => import("./connection.fake"));
const { RunRow, RunText } = await import("./run-row");

afterEach(cleanup);

const textOf = (of: ReturnType<typeof task>): string => render(<RunText task={of} />).container.textContent?.trim() ?? "";

test("a row says its phase, then its status, then what became of it when its end brings that", () => {
  const running = rowOf(task(1, "STARTED", { current_phase: "act", current_phase_message: "999 of 1000" }));
  const over = rowAfterStatusChange(running, { type: "status_changed", sequence: 9, status: "SUCCESS", previous_status: "STARTED", timestamp: "2025-01-01T01:00:00Z" });
  const end = { type: "task_status", sequence: 7, status: "SUCCESS", current_phase: null, current_phase_message: "302 started again, 698 refused" };

  expect(textOf(running.task)).toBe("999 of 1000");
  expect(textOf(over.task)).toBe("succeeded");
  expect(textOf(rowAfterEvent(over, end).task)).toBe("302 started again, 698 refused");
});

test("the phase in which a run ended is not what became of it", () => {
  expect(textOf(task(1, "SUCCESS", { current_phase: "act" }))).toBe("succeeded");
});

test("a bulk action of which nothing was done is amber, with a mark and a word of its own", () => {
  const row = (message: string) => signal(rowOf(task(1, "SUCCESS", { job_type: "bulk_action", current_phase_message: message })));

  const { container } = render(<RunRow row={row("nothing done, 10 refused")} />);
  expect(container.querySelector("a")?.classList).toContain("s-wait");
  expect(screen.getByRole("img", { name: "nothing done" }).classList).toContain("s-wait");
  expect(screen.getByText("nothing done, 10 refused").classList).toContain("s-wait");

  cleanup();
  const { container: partly } = render(<RunRow row={row("9 started again, 1 refused")} />);
  expect(partly.querySelector("a")?.classList).toContain("s-ok");
  expect(screen.getByRole("img", { name: "succeeded" })).toBeTruthy();
  expect(screen.getByText("9 started again, 1 refused")).toBeTruthy();
});
