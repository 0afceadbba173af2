// @vitest-environment happy-dom
import { cleanup, fireEvent, render, screen } from "@testing-library/preact";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { User } from "../client/types";

vi.mock("../client/connection", () => ({
  PageConnection: class {
    link = { kind: "connecting" };
    listen = () => () => undefined;
  },
}));
const { api } = await import("../state/app");
const { commands } = await import("../state/commands");
const { Palette } = await import("./palette");

const user: User = { id: 1, email: "ada@example.org", role: "worker", tenant: null };
const close = vi.fn();
const cancel = vi.fn();

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(api, "tasks").mockResolvedValue({ tasks: [], next: null });
  vi.spyOn(api, "jobTypes").mockResolvedValue({ job_types: [] });
  vi.spyOn(api, "taskTypes").mockResolvedValue([]);
  Object.assign(HTMLDialogElement.prototype, { showModal: vi.fn(), close: vi.fn() });
  Element.prototype.scrollIntoView = vi.fn();
  commands.value = [{ name: "Cancel this run", sure: "Cancel now", run: cancel }];
  render(<Palette user={user} start={vi.fn()} close={close} />);
});
afterEach(() => {
  cleanup();
  vi.useRealTimers();
  vi.clearAllMocks();
});

const field = (): HTMLElement => screen.getByRole("combobox", { hidden: true });
const type = (text: string) => fireEvent.input(field(), { target: { value: text } });
const marked = (): string | null => document.getElementById(field().getAttribute("aria-activedescendant") ?? "")?.textContent ?? null;

test("the option that the field names is the one that Enter takes, and the arrows go round", () => {
  type("api");
  expect(marked()).toBe("API keysgk");
  fireEvent.keyDown(field(), { key: "ArrowUp" });
  expect(marked()).toBe("All runs with “api”");
  fireEvent.keyDown(field(), { key: "ArrowDown" });
  expect(marked()).toBe("API keysgk");
  fireEvent.keyDown(field(), { key: "Enter" });
  expect(close).toHaveBeenCalledOnce();
  vi.runAllTimers();
  expect(location.pathname).toBe("/settings/keys");
});

test("what cannot be undone is asked for, read out, and done at the second Enter only", async () => {
  type("cancel");
  fireEvent.keyDown(field(), { key: "Enter" });
  await vi.advanceTimersByTimeAsync(1);
  expect(screen.getByRole("status", { hidden: true }).textContent).toBe("Cancel now? Press Enter once more.");
  expect([close.mock.calls.length, cancel.mock.calls.length]).toEqual([0, 0]);
  fireEvent.keyDown(field(), { key: "Enter", repeat: true });
  expect(close).not.toHaveBeenCalled();
  fireEvent.keyDown(field(), { key: "Enter" });
  vi.runAllTimers();
  expect(cancel).toHaveBeenCalledOnce();
});
