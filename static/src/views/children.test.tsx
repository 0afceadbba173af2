// @vitest-environment happy-dom
import { cleanup, configure, fireEvent, render, screen, waitFor, within } from "@testing-library/preact";
import { afterEach, expect, test, vi } from "vitest";
import { NOTHING } from "../client/fold";
import type { Task } from "../client/types";

vi.mock("../client/connection", () => import("./connection.fake"));
const { api } = await import("../state/app");
const { Children } = await import("./children");

configure({ asyncUtilTimeout: 20_000 });
afterEach(cleanup);

const task = (task_id: string, fields: Partial<Task> = {}): Task => ({
  ...NOTHING.task,
  task_id,
  job_type: `shop.${task_id}`,
  title: `Task: shop.${task_id}`,
  status: "SUCCESS",
  ...fields,
});

/** Draws these tasks; below them is what `tree` has under their ids, newest first. Returns the ids that were asked for. */
function drawn(tasks: Task[], tree: Record<string, Task[]>): string[] {
  const asked: string[] = [];
  vi.spyOn(api, "children").mockImplementation((id) => {
    asked.push(id);
    return Promise.resolve({ tasks: [...(tree[id] ?? [])] });
  });
  render(<Children tasks={tasks} problem={null} />);
  return asked;
}

test("the body of a chord is on the page of its group, below the member that called it", async () => {
  const body = task("total", { status: "FAILURE", title: "The total" });
  const asked = drawn([task("add1"), task("add2")], { add2: [body], total: [task("mail")] });

  const row = await screen.findByRole("link", { name: /The total/ });
  expect(row.textContent).toContain("shop.total");
  expect(within(row).getByRole("img", { name: "failed" })).toBeTruthy();
  expect(row.closest("li")?.parentElement?.closest("li")?.textContent).toContain("shop.add2");
  await screen.findByText("shop.mail");
  await waitFor(() => expect([...asked].sort()).toEqual(["add1", "add2", "mail", "total"]));
});

test("a row without children offers none to open", async () => {
  drawn([task("add")], {});

  await waitFor(() => expect(screen.getByLabelText("Children of shop.add").style.visibility).toBe("hidden"));
});

test("in a long list the children of a row are loaded when it is opened", async () => {
  const rows = Array.from({ length: 9 }, (_, n) => task(`row${n}`));
  const asked = drawn(rows, { row3: [task("deep")] });
  expect(asked).toEqual([]);

  fireEvent.click(screen.getByLabelText("Children of shop.row3"));

  await screen.findByText("shop.deep");
  expect(asked[0]).toBe("row3");
  fireEvent.click(screen.getByLabelText("Children of shop.row3"));
  expect(screen.queryByText("shop.deep")).toBeNull();
});
