// @vitest-environment happy-dom
import { cleanup, fireEvent, render, screen } from "@testing-library/preact";
import { afterEach, expect, test, vi } from "vitest";
import { NOTHING } from "../client/fold";
import { Problem } from "../client/problem";
import type { OutputFile } from "../client/related";
import type { Task } from "../client/types";
import { Outputs } from "./outputs";

afterEach(cleanup);

const task: Task = { ...NOTHING.task, task_id: "t", status: "SUCCESS" };
const file: OutputFile = { name: "report.csv", size: 16, content_type: "text/csv", attempt: 1, created_at: "2026-01-01T00:00:00Z" };
const declared = { "report.csv": "The sales", "chart.png": "" };

test("nothing is said to be missing while it is not known what there is", () => {
  const problem = new Problem(500, "Internal Server Error", "The disk is full");
  const { rerender } = render(<Outputs task={task} outputs={{ value: null, problem }} declared={declared} />);
  expect(screen.getByRole("alert").textContent).toBe("The disk is full.");
  expect(screen.queryByText("not saved")).toBeNull();

  rerender(<Outputs task={task} outputs={{ value: [file], problem }} declared={declared} />);
  expect(screen.getByRole("alert").textContent).toBe("The disk is full. What is shown is what was last known.");
  expect(screen.getByText("not saved").closest("li")?.textContent).toContain("chart.png");
});

test("where a link would not do a file is loaded and then saved, once at a time", async () => {
  let come = (_: Blob): void => undefined;
  const load = vi.fn(() => new Promise<Blob>((done) => (come = done)));
  const saved: [string, string][] = [];
  vi.spyOn(URL, "createObjectURL").mockReturnValue("blob:x");
  vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function (this: HTMLAnchorElement) {
    saved.push([this.href, this.download]);
  });
  render(<Outputs task={task} outputs={{ value: [file], problem: null }} declared={{}} load={load} />);
  expect(screen.queryByRole("link")).toBeNull();
  const button = screen.getByRole<HTMLButtonElement>("button", { name: "report.csv" });

  fireEvent.click(button);
  await screen.findByText("is being loaded");
  expect(button.disabled).toBe(true);
  come(new Blob(["x"]));

  await vi.waitFor(() => expect(saved).toEqual([["blob:x", "report.csv"]]));
  expect(load).toHaveBeenCalledExactlyOnceWith("report.csv");
});
