// @vitest-environment happy-dom
import { cleanup, render, screen } from "@testing-library/preact";
import { afterEach, expect, test, vi } from "vitest";
import { NOTHING } from "../client/fold";
import { Problem } from "../client/problem";
import type { LogLine, Task } from "../client/types";

vi.mock("../client/connection", () => ({
  PageConnection: class {
    link = { kind: "connecting" };
    listen = () => () => undefined;
  },
}));
const { api, signedIn } = await import("../state/app");
const { Audit } = await import("./audit");

afterEach(cleanup);

const at = (second: number): string => `2026-01-01T00:00:0${second}.000000+00:00`;
const task: Task = {
  ...NOTHING.task,
  task_id: "t",
  user_id: "u",
  created_at: at(0),
  started_at: at(1),
  finished_at: at(5),
  status: "SUCCESS",
  retry_count: 1,
};
const line = (second: number, message: string): LogLine =>
  ({ sequence: second, timestamp: at(second), level: "WARNING", message, component: "taskroom", phase: null });

test("the retries are in the history, with their reasons, and beside it the queue", async () => {
  vi.spyOn(api, "approvals").mockResolvedValue([]);
  vi.spyOn(api, "owner").mockResolvedValue("ada@example.org");
  const logs = [line(2, "disk almost full"), line(3, "OSError: away\nAttempt 2 follows in 1 s")];
  vi.spyOn(api, "logs").mockResolvedValue({ logs, next_sequence: 9, before_sequence: 1, has_more: false });
  render(<Audit task={{ ...task, queue: "mail" }} />);

  await screen.findByText(/OSError: away/);
  const texts = [...document.querySelectorAll(".audit span")].map((entry) => entry.textContent).filter(Boolean);
  expect(texts.map((text) => text?.split("\n")[0])).toEqual(["created by ada@example.org", "started", "OSError: away", "succeeded"]);
  expect(screen.getByText("queue").nextElementSibling?.textContent).toBe("mail");
  expect(screen.queryByText(/disk almost full/)).toBeNull();
});

test("a history that may lack something says so", async () => {
  vi.spyOn(api, "approvals").mockRejectedValue(new Problem(403, "Forbidden", "The scope is missing"));
  render(<Audit task={{ ...task, retry_count: 0 }} />);

  expect((await screen.findByRole("alert")).textContent).toBe("The scope is missing. Approvals or retries may be missing here.");
});

test("a run without a retry asks for none", () => {
  vi.spyOn(api, "approvals").mockResolvedValue([]);
  vi.spyOn(api, "owner").mockResolvedValue(null);
  const logs = vi.spyOn(api, "logs");
  logs.mockClear();
  render(<Audit task={{ ...task, retry_count: 0 }} />);

  expect(logs).not.toHaveBeenCalled();
});

test("an owner whose name the reader may not know is another user, and no id", async () => {
  vi.spyOn(api, "approvals").mockResolvedValue([]);
  vi.spyOn(api, "owner").mockResolvedValue(null);
  render(<Audit task={{ ...task, user_id: "5f0c7c1e-0000-4000-8000-000000000000", retry_count: 0 }} />);

  await screen.findByText("created by another user");

  expect(screen.getByText("owner").nextElementSibling?.textContent).toBe("another user");
  expect(document.body.textContent).not.toContain("5f0c7c1e");
});

test("the reader's own name is known without asking", async () => {
  vi.spyOn(api, "approvals").mockResolvedValue([]);
  const asked = vi.spyOn(api, "owner");
  asked.mockClear();
  const out = signedIn.value;
  signedIn.value = { kind: "in", user: { id: "u", email: "me@example.org", role: "operator", tenant: null } };
  render(<Audit task={{ ...task, retry_count: 0 }} />);

  await screen.findByText("created by me@example.org");

  expect(asked).not.toHaveBeenCalled();
  signedIn.value = out;
});
