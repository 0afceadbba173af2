// @vitest-environment happy-dom
import { beforeEach, expect, test, vi } from "vitest";
import { Problem } from "../client/problem";
import type { SavedView } from "../client/savedViews";

const call = vi.fn();
vi.mock("./app", () => ({ session: { call: (...given: unknown[]) => call(...given) } }));
const { dropView, filtersOf, keepView, loadViews, updateView, viewAddress, viewOf, views } = await import("./views");

const view = (name: string, filters: Record<string, string> = {}, more: Partial<SavedView> = {}): SavedView => ({
  ...{ id: name, name, filters, shared: false, owner: "a@example.org", mine: true, may_change: true, created_at: "" },
  ...more,
});
const names = (): string[] => (views.value as SavedView[]).map(({ name }) => name);

beforeEach(() => {
  call.mockReset();
  views.value = null;
});

test("all pages are loaded, and shown by name", async () => {
  call.mockResolvedValueOnce({ views: [view("b"), view("a")], next: "more" }).mockResolvedValueOnce({ views: [view("C")], next: null });

  await loadViews();

  expect(names()).toEqual(["a", "b", "C"]);
  expect(call.mock.calls.map(([, path]) => path)).toEqual(["/api/v2/views?limit=200", "/api/v2/views?limit=200&cursor=more"]);
});

test("what was shown stays when it cannot be loaded again", async () => {
  call.mockRejectedValueOnce(new Problem(503, "away"));
  await loadViews();
  expect(views.value).toBeInstanceOf(Problem);

  views.value = [view("a")];
  call.mockRejectedValueOnce(new Problem(503, "away"));
  await loadViews();
  expect(names()).toEqual(["a"]);
});

test("a view is saved from the address, changed and removed", async () => {
  views.value = [view("b")];
  const made = view("a", { status: "FAILURE" });
  call.mockResolvedValueOnce(made);
  await keepView("a", "/?status=FAILURE", false);
  expect(call).toHaveBeenLastCalledWith("POST", "/api/v2/views", { name: "a", filters: { status: "FAILURE" }, shared: false });

  call.mockResolvedValueOnce({ ...made, name: "z", shared: true });
  await updateView(made, { name: "z", shared: true });
  expect(call).toHaveBeenLastCalledWith("PUT", "/api/v2/views/a", { name: "z", filters: { status: "FAILURE" }, shared: true });
  expect(names()).toEqual(["b", "z"]);

  call.mockResolvedValueOnce(undefined);
  await dropView(made);
  expect(names()).toEqual(["b"]);
});

test("an address shows the view that has its filters, in any order; the plain list shows none", () => {
  const all = [view("plain"), view("failed", { status: "FAILURE", q: "a b" })];

  expect(viewOf("/?q=a+b&status=FAILURE", all)?.name).toBe("failed");
  expect(viewOf("/", all)).toBeUndefined();
  expect(viewOf("/?status=FAILURE", all)).toBeUndefined();
  expect(filtersOf(viewAddress(all[1] as SavedView))).toEqual({ status: "FAILURE", q: "a b" });
});
