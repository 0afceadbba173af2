// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { TaskEvent } from "../client/types";
import { go } from "./address";
import { notifications, onUserEvent, toasts } from "./bell";

let hidden = false;
let sequence = 0;
const arrived = (more: Record<string, unknown> = {}): TaskEvent => {
  const at = new Date().toISOString();
  sequence++;
  return {
    type: "notification",
    stream: "user:1",
    sequence,
    timestamp: at,
    created_at: at,
    id: `n${sequence}`,
    severity: "success",
    title: "It has finished",
    message: "",
    action_url: "/runs/1",
    related_type: "task",
    related_id: "1",
    urgent: false,
    read: false,
    ...more,
  };
};
const titles = (): string[] => toasts.shown.value.map(({ title }) => title);

beforeEach(() => {
  vi.stubGlobal("fetch", vi.fn(() => new Promise(() => undefined)));
  vi.spyOn(document, "hidden", "get").mockImplementation(() => hidden);
  hidden = false;
  notifications.start(1);
  go("/");
});
afterEach(() => {
  notifications.stop();
  toasts.remove(() => true);
});

test("what has just happened elsewhere is in the bell and in a toast", () => {
  onUserEvent(arrived());
  expect(notifications.inbox.value.unread).toBe(1);
  expect(titles()).toEqual(["It has finished"]);
});

test("what is in sight, what is past and what is by the way are in the bell alone", () => {
  go("/runs/1");
  onUserEvent(arrived());
  go("/");
  onUserEvent(arrived({ timestamp: "2020-01-01T00:00:00Z" }));
  onUserEvent(arrived({ severity: "info" }));
  expect(notifications.inbox.value.unread).toBe(3);
  expect(titles()).toEqual([]);
});

test("a hidden page keeps only what is urgent, even of the page that it shows", () => {
  go("/runs/1");
  hidden = true;
  onUserEvent(arrived());
  onUserEvent(arrived({ urgent: true, title: "It has failed" }));
  expect(titles()).toEqual(["It has failed"]);
});

test("a toast that asks for an approval goes when that was decided elsewhere, and when the run is over", () => {
  const asks = { urgent: true, severity: "warning", notification_type: "approval_required" };
  onUserEvent(arrived({ ...asks, related_id: "2", title: "Approve" }));
  onUserEvent(arrived({ ...asks, related_id: "3", title: "Approve another" }));
  onUserEvent(arrived({ urgent: true, related_id: "2", title: "Of the same run" }));
  const decided = { stream: "user:1", timestamp: "2020-01-01T00:00:00Z" };
  onUserEvent({ type: "approval_decided", ...decided, sequence: ++sequence, task_id: "2", approved: true });
  expect(titles()).toEqual(["Approve another", "Of the same run"]);
  onUserEvent({ type: "task_completed", ...decided, sequence: ++sequence, task_id: "3", status: "REVOKED" });
  expect(titles()).toEqual(["Of the same run"]);
});

test("a toast goes when it is read elsewhere", () => {
  onUserEvent(arrived({ urgent: true }));
  onUserEvent(arrived({ urgent: true, title: "Another" }));
  const [first] = toasts.shown.value;
  onUserEvent({ type: "notifications_read", stream: "user:1", sequence: ++sequence, ids: [first?.id], unread_count: 1 });
  expect(titles()).toEqual(["Another"]);
  onUserEvent({ type: "notifications_read", stream: "user:1", sequence: ++sequence, all: true, unread_count: 0 });
  expect(titles()).toEqual([]);
});
