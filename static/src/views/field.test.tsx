// @vitest-environment happy-dom
import { cleanup, fireEvent, render, screen } from "@testing-library/preact";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Schema } from "../client/types";
import { Field } from "./field";

const set = vi.fn();
const shown = (schema: Schema, draft: string, required: boolean): string[] => {
  render(<Field path="params.size" label="Size" errors={{}} {...{ schema, draft, required, set }} />);
  fireEvent.click(screen.getByRole("combobox", { name: "Size" }));
  return screen.getAllByRole("option").map(({ textContent }) => textContent ?? "");
};
const text = (): string | null => screen.getByRole("combobox", { name: "Size" }).textContent;

// happy-dom has no popovers.
beforeEach(() => void Object.assign(HTMLElement.prototype, { showPopover: vi.fn(), hidePopover: vi.fn() }));
afterEach(() => {
  cleanup();
  set.mockClear();
});

test("a required choice has nothing until somebody chooses, and an optional one can be taken back", () => {
  expect(shown({ enum: ["small", 2] }, "", true)).toEqual(["Choose one", "small", "2"]);
  fireEvent.click(screen.getByRole("option", { name: "2" }));
  expect(set.mock.calls).toEqual([["2"]]);
  cleanup();

  expect(shown({ enum: ["small", 2] }, '"small"', true)).toEqual(["small", "2"]);
  cleanup();

  expect(shown({ enum: ["small", 2] }, '"small"', false)).toEqual(["Not set", "small", "2"]);
});

test("null is an option only where the server would take something else", () => {
  expect(shown({ enum: ["small", null] }, "", false)).toEqual(["Not set", "small"]);
  cleanup();

  expect(shown({ enum: ["small", null], default: "small" }, '"small"', false)).toEqual(["Not set", "small", "null"]);
});

test("what an earlier run was given, and is no choice any more, is shown and not another", () => {
  expect(shown({ enum: ["small"] }, '"huge"', true)).toEqual(["huge", "small"]);
  expect(text()).toBe("huge");
});

test("a date with a time says in which zone it is, and takes seconds", () => {
  const { timeZone } = new Intl.DateTimeFormat().resolvedOptions();
  render(<Field path="params.at" label="At" schema={{ type: "string", format: "date-time" }} draft="2026-12-24T18:30:15" required errors={{}} set={set} />);
  const input = screen.getByLabelText("At *");
  expect([input.getAttribute("type"), input.getAttribute("step")]).toEqual(["datetime-local", "any"]);
  expect(document.getElementById(input.getAttribute("aria-describedby") ?? "")?.textContent).toContain(`Your time: ${timeZone}`);
});
