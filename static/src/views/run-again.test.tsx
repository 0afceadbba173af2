// @vitest-environment happy-dom
import { cleanup, configure, fireEvent, render, screen } from "@testing-library/preact";
import { afterEach, expect, test, vi } from "vitest";
import { NOTHING } from "../client/fold";
import { Problem } from "../client/problem";
import type { Task } from "../client/types";
import { sinks } from "./connection.fake";
import type { Call } from "./use-call";

vi.mock("../client/connection", () => import("./connection.fake"));
const { api } = await import("../state/app");
const { jobTypes } = await import("../state/jobs");
const { RunAgain } = await import("./run-again");

configure({ asyncUtilTimeout: 20_000 });
afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
  history.replaceState(null, "", "/");
});

const call: Call = { busy: false, problem: null, run: (what) => void what() };
const task: Task = { ...NOTHING.task, task_id: "old", job_type: "shop.mail", status: "FAILURE", observed: true };

test("after the reporter was asked the page says so, and leads to the new run when that comes", async () => {
  const newer = { ...task, task_id: "newer", retry_of: "other" };
  const tasks = vi.spyOn(api, "tasks").mockResolvedValue({ tasks: [newer], next: null });
  vi.spyOn(api, "retry").mockResolvedValue({ task_id: "old" });
  render(<RunAgain task={task} call={call} />);

  fireEvent.click(screen.getByText("Run again"));

  const note = await screen.findByRole("status");
  expect(note.textContent).toBe("Asked for; the reporter will start it");
  expect(screen.queryByText("Run again")).toBeNull();
  expect(sinks.size).toBe(1);
  tasks.mockResolvedValue({ tasks: [newer, { ...task, task_id: "new", retry_of: "old" }], next: null });
  for (const sink of sinks) sink.event({ type: "task_created", sequence: 1, task_id: "new" });
  const link = await screen.findByRole("link", { name: "new" });
  expect(link.getAttribute("href")).toBe("/runs/new");
  expect(note.textContent).toBe("Started again as new");
  expect(sinks.size).toBe(0);
});

test("the new run of one that was started again before is a retry of its last run", async () => {
  const second = { ...task, task_id: "second", retry_of: "old" };
  const tasks = vi.spyOn(api, "tasks").mockResolvedValue({ tasks: [second], next: null });
  vi.spyOn(api, "retry").mockResolvedValue({ task_id: "old", retry_of: "second" });
  render(<RunAgain task={task} call={call} />);

  fireEvent.click(screen.getByText("Run again"));

  const note = await screen.findByRole("status");
  for (const sink of sinks) sink.event({ type: "task_created", sequence: 1, task_id: "x" });
  await vi.waitFor(() => expect(tasks).toHaveBeenCalled());
  expect(note.textContent).toBe("Asked for; the reporter will start it");
  tasks.mockResolvedValue({ tasks: [{ ...task, task_id: "third", retry_of: "second" }, second], next: null });
  for (const sink of sinks) sink.event({ type: "task_created", sequence: 2, task_id: "third" });
  expect((await screen.findByRole("link", { name: "third" })).getAttribute("href")).toBe("/runs/third");
});

test("who may not look for the new run does not look again", async () => {
  const tasks = vi.spyOn(api, "tasks").mockRejectedValue(new Problem(403, "Forbidden"));
  vi.spyOn(api, "retry").mockResolvedValue({ task_id: "old" });
  render(<RunAgain task={task} call={call} />);
  fireEvent.click(screen.getByText("Run again"));
  await screen.findByRole("status");

  for (const sink of sinks) sink.event({ type: "task_created", sequence: 1, task_id: "new" });

  await vi.waitFor(() => expect(sinks.size).toBe(0));
  expect(tasks).toHaveBeenCalledTimes(1);
});

test("a run of ours is gone to at once", async () => {
  vi.spyOn(api, "retry").mockResolvedValue({ task_id: "next" });
  render(<RunAgain task={{ ...task, observed: false }} call={call} />);

  fireEvent.click(screen.getByRole("button", { name: "Run again" }));
  fireEvent.click(screen.getByText("The same"));

  await vi.waitFor(() => expect(location.pathname).toBe("/runs/next"));
});

test("with changes the form has the parameters of the run, also those that the schema does not name", async () => {
  const schema = { type: "object", properties: { text: { type: "string", default: "" } }, additionalProperties: true };
  jobTypes.value = [{ job_type: "shop.mail", title: "Mail", description: "", params: schema, phases: [] }];
  const start = vi.spyOn(api, "start").mockResolvedValue({ task_id: "next" });
  const ours = { ...task, observed: false, title: "May", params: { text: "one", colour: "red" } };
  render(<RunAgain task={ours} call={call} />);

  fireEvent.click(screen.getByRole("button", { name: "Run again" }));
  fireEvent.click(screen.getByText("With changes"));
  const text = await screen.findByDisplayValue("one");
  expect(screen.getByDisplayValue("May")).toBeTruthy();
  expect(screen.getByLabelText(/Colour/).getAttribute("name")).toBe("params.colour");
  fireEvent.input(text, { target: { value: "two" } });
  fireEvent.submit(text.closest("form")!);

  await vi.waitFor(() => expect(location.pathname).toBe("/runs/next"));
  const params = { colour: "red", text: "two" };
  expect(start.mock.calls[0]?.[0]).toEqual({ job_type: "shop.mail", params, title: "May", again_of: "old" });
});

test("a masked value without a field of its own has one, and what the server says of it stands beside it", async () => {
  const steps = { type: "array", items: { type: "object", properties: { params: { type: "object" } } } };
  const schema = { type: "object", properties: { steps }, additionalProperties: true };
  jobTypes.value = [{ job_type: "shop.mail", title: "Mail", description: "", params: schema, phases: [] }];
  const problem = new Problem(422, "Unprocessable", "Values that are not shown must be given again", {
    "params.steps.0.params.pin": ["It is not shown; give it again."],
    "params.login.password": ["Too short."],
  });
  const start = vi.spyOn(api, "start").mockRejectedValue(problem);
  const ours = { ...task, observed: false, params: { login: { user: "ada", password: "[redacted]" }, steps: [{ params: { pin: "[redacted]" } }] } };
  render(<RunAgain task={ours} call={call} />);

  fireEvent.click(screen.getByRole("button", { name: "Run again" }));
  fireEvent.click(screen.getByText("With changes"));
  const password = await screen.findByLabelText<HTMLInputElement>(/Password/);
  expect([password.type, password.name, password.value]).toEqual(["password", "params.login.password", ""]);
  fireEvent.submit(password.form!);
  expect(password.closest(".field")?.textContent).toContain("Fill this in.");
  expect(start).not.toHaveBeenCalled();

  fireEvent.input(password, { target: { value: "x" } });
  fireEvent.submit(password.form!);

  await vi.waitFor(() => expect(password.closest(".field")?.textContent).toContain("Too short."));
  expect(start.mock.calls[0]?.[0].params).toEqual({ login: { user: "ada", password: "x" }, steps: [{ params: { pin: "[redacted]" } }] });
  const json = screen.getByDisplayValue('{"pin":"[redacted]"}');
  expect(json.closest(".field")?.textContent).toContain("pin: It is not shown; give it again.");
  expect(screen.queryByText("Values that are not shown must be given again")).toBeNull();
});
