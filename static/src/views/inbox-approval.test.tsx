// @vitest-environment happy-dom
import { cleanup, fireEvent, render, screen, waitFor } from "@testing-library/preact";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Problem } from "../client/problem";
import type { Question } from "../state/notification-approval";

vi.mock("../client/connection", () => ({
  PageConnection: class {
    link = { kind: "connecting" };
    listen = () => () => undefined;
    retryNow = () => undefined;
  },
}));
const { api } = await import("../state/app");
const { session } = await import("../state/session");
const { InboxApproval } = await import("./inbox-approval");

const question: Question = { taskId: "t1", title: "Send the mail", risk: "low", cost: 0 };
const seen = vi.fn().mockResolvedValue(undefined);
const button = (name: string): HTMLElement => screen.getByRole("button", { name });

beforeEach(() => {
  session.state = { kind: "in", user: { id: "u", email: "ann@example.org", role: "operator", tenant: null } };
  session["changed"]();
});
afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
  seen.mockClear();
});

test("a rejection has its reason", async () => {
  const decide = vi.spyOn(api, "decide").mockResolvedValue();
  render(<InboxApproval question={question} seen={seen} />);
  fireEvent.click(button("Reject…"));
  fireEvent.input(screen.getByRole("textbox"), { target: { value: " too dear " } });
  fireEvent.click(button("Reject now"));
  await waitFor(() => expect(screen.getByRole("status").textContent).toBe("Rejected."));
  expect(decide.mock.calls).toEqual([["t1", false, "too dear"]]);
  expect(seen.mock.invocationCallOrder[0]).toBeLessThan(Number(decide.mock.invocationCallOrder[0]));
});

test("Escape goes back from the reason to the button, and closes nothing else", () => {
  render(<InboxApproval question={question} seen={seen} />);
  fireEvent.click(button("Reject…"));
  fireEvent.keyDown(screen.getByRole("textbox"), { key: "Escape" });
  expect(screen.queryByRole("textbox")).toBeNull();
  expect(document.activeElement).toBe(button("Reject…"));
});

test("a critical risk is approved by a second click", async () => {
  const decide = vi.spyOn(api, "decide").mockResolvedValue();
  render(<InboxApproval question={{ ...question, risk: "critical" }} seen={seen} />);
  const approve = screen.getByRole("button", { name: /^Approve/ });
  fireEvent.click(approve);
  expect(decide).not.toHaveBeenCalled();
  fireEvent.click(approve);
  await waitFor(() => expect(decide.mock.calls).toEqual([["t1", true, undefined]]));
});

test("what somebody else decided first is no error", async () => {
  vi.spyOn(api, "decide").mockRejectedValue(new Problem(409, "Conflict"));
  render(<InboxApproval question={question} seen={seen} />);
  fireEvent.click(button("Approve"));
  await waitFor(() => expect(screen.getByRole("status").textContent).toBe("It waits for nothing any more."));
});
