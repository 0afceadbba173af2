// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Problem } from "./problem";
import { FakeServer, snapshotAt } from "./testing/page";
import { io, socket, sockets } from "./testing/sockets";
import { pass } from "./testing/stage";

vi.mock("socket.io-client", () => ({ io: (_base: string, options: never) => io(options) }));
await import("./element");

let server: FakeServer;

beforeEach(() => {
  vi.useFakeTimers();
  sockets.length = 0;
  server = new FakeServer();
  server.answers.set("/tasks/t/status", snapshotAt(5));
  server.answers.set("/tasks/t/events", { events: [], next_sequence: 5, has_more: false });
  vi.stubGlobal("fetch", server.fetch);
});
afterEach(() => {
  document.body.replaceChildren();
  vi.useRealTimers();
});

/** Puts the element into the page, and returns a function that reads one of its parts. */
async function put(attributes: Record<string, string> = {}) {
  const element = document.createElement("taskroom-run");
  const all = { url: "https://rooms.example/", run: "t", token: "trs_a", ...attributes };
  for (const [name, value] of Object.entries(all)) element.setAttribute(name, value);
  document.body.append(element);
  await pass(100);
  const part = (name: string): string => element.shadowRoot?.querySelector(`[part=${name}]`)?.textContent ?? "";
  const lines = (): string[] => [...(element.shadowRoot?.querySelectorAll(".line span") ?? [])].map((line) => line.textContent ?? "");
  return { element, part, lines };
}

async function live(): Promise<void> {
  socket().open();
  socket().answer("join_task", { ok: true, task_id: "t", sequence: 5 });
  await pass(100);
}

const log = (sequence: number, message: string): void =>
  socket().deliver("log", { stream: "task:t", task_id: "t", sequence, level: "INFO", message, timestamp: "2026-11-29T10:00:00Z" });

const ends = (sequence: number): void =>
  socket().deliver("task_status", { stream: "task:t", task_id: "t", sequence, status: "SUCCESS", timestamp: "2026-11-29T10:00:01Z" });

test("it shows lines as text, and keeps as many as it is told", async () => {
  const { lines, part } = await put({ lines: "2" });
  await live();
  log(6, "<b>one</b>");
  log(7, "\u001b[31mtwo\u001b[0m");
  await pass(100);
  expect(lines()).toEqual(["<b>one</b>", "two"]);

  log(8, "three");
  await pass(100);
  expect(lines()).toEqual(["two", "three"]);
  expect(part("note")).toBe("Earlier lines are left out.");
});

test("it tells the page once that the run has ended, and closes its connection", async () => {
  const heard: CustomEvent[] = [];
  document.body.addEventListener("taskroom-end", (event) => heard.push(event));
  const { part } = await put();
  await live();

  ends(6);
  ends(7);
  socket().deliver("end", { stream: "task:t", status: "SUCCESS" });
  await pass(100);

  expect(heard.map(({ detail }) => [detail.run, detail.status])).toEqual([["t", "SUCCESS"]]);
  expect(part("status")).toBe("succeeded");
  expect(socket().gone).toBe(true);
});

test("it needs all three attributes, and says so", async () => {
  const { part, element } = await put({ token: "" });
  expect(part("message")).toBe("The attributes url, run and token are needed.");
  expect(server.asked).toEqual([]);

  element.setAttribute("token", "trs_b");
  await pass(100);
  expect(server.asked[0]).toBe("https://rooms.example/api/v2/tasks/t/status");
});

test("a share that has ended, and a run that is not there, are told", async () => {
  server.answers.set("/tasks/t/status", new Problem(404, "Not Found"));
  expect((await put()).part("message")).toBe("There is no such run.");
  server.answers.set("/tasks/t/status", new Problem(401, "Unauthorized"));
  server.answers.set("/tasks/t/logs", new Problem(401, "Unauthorized"));
  expect((await put()).part("message")).toBe("This link is no longer valid: it has expired or was revoked.");
});

test("it is connected only while it is in the page", async () => {
  const { element } = await put();
  await live();

  element.remove();
  await pass(0);
  expect(socket().gone).toBe(true);

  document.body.append(element);
  await pass(100);
  expect(sockets).toHaveLength(2);
});
