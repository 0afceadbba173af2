// @vitest-environment happy-dom
import { cleanup, fireEvent, render, screen } from "@testing-library/preact";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Search } from "./search";

const change = vi.fn();
const submit = vi.fn();
const cancel = vi.fn(() => false);
const field = (): HTMLInputElement => screen.getByRole("searchbox");
const type = (value: string) => fireEvent.input(field(), { target: { value } });
const press = (key: string, more = {}) => fireEvent.keyDown(field(), { key, ...more });
const search = (value = "") => (
  <Search label="Search" placeholder="" delay={200} {...{ value, change, submit, cancel }} />
);

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  cleanup();
  vi.clearAllMocks();
  vi.useRealTimers();
});

test("the text is searched for when nothing more is typed for a while", () => {
  render(search());
  type("ab");
  vi.advanceTimersByTime(199);
  type("abc");
  vi.advanceTimersByTime(199);
  expect(change).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(change.mock.calls).toEqual([["abc"]]);
});

test("Enter searches for a changed text at once, and then goes on", () => {
  render(search());
  type("ab");
  press("Enter");
  vi.advanceTimersByTime(1_000);
  expect([change.mock.calls, submit.mock.calls]).toEqual([[["ab"]], []]);
  press("Enter");
  press("Enter", { shiftKey: true });
  expect([change.mock.calls.length, submit.mock.calls]).toEqual([1, [["ab", false], ["ab", true]]]);
});

test("Escape stops the search, then clears the text, then leaves the field", () => {
  cancel.mockReturnValueOnce(true);
  render(search("ab"));
  field().focus();
  press("Escape");
  expect([field().value, change.mock.calls]).toEqual(["ab", []]);
  press("Escape");
  expect([field().value, change.mock.calls, document.activeElement]).toEqual(["", [[""]], field()]);
  press("Escape");
  expect(document.activeElement).not.toBe(field());
});

test("a text that changes elsewhere is shown, and one that was typed meanwhile stays", () => {
  const { rerender } = render(search("ab"));
  rerender(search("other"));
  expect(field().value).toBe("other");
  type("other one");
  rerender(search("other"));
  expect(field().value).toBe("other one");
});
