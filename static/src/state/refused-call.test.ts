import { expect, test } from "vitest";
import calls from "../../../tests/vectors/calls.json";
import { refusedCall } from "./refused-call";

test.each([
  ["DELETE /api/v2/queues/{name}/pause", "queue", "to resume a queue"],
  ["DELETE /api/v2/queues/<path:name>/pause", "queue", "to resume a queue"], // of an older server
  ["PUT /api/v2/workers/<path:name>/drain", "worker", "to drain a worker"],
  ["POST /api/v2/tasks/<uuid:task_id>/retry", "task", "to run a run again"],
  ["GET /api/v2/tasks/<uuid:task_id>/logs/marks", "task", "to read a run"],
  ["POST /api/v2/tasks/bulk", "call", "to change many runs"],
  ["POST /api/v1/ai/artifact/generate", "call", "to start a run"],
  ["DELETE /api/v2/webhooks/<uuid:webhook_id>", "call", "to remove a webhook"],
  ["GET /metrics", "call", "to read the metrics"],
  ["GET /api/v2/jobs/{job_type}/stats", "call", "to read the jobs"],
  ["GET /api/v2/tasks/histogram", "call", "to read the list of runs"],
  ["GET /api/notifications/stream", "call", "to read notifications"],
  ["GET /api/v1/notifications/unread-count/", "call", "to read notifications"],
  ["GET /api/v2/of_tomorrow", "call", "to read of tomorrow"],
  ["join_task", "call", "to follow a run"],
  ["share_made", "task", "to share a run"],
  ["PATCH /api/v2/of/<path:tomorrow>/next", "call", "to call PATCH of/…/next"],
  ["PATCH /api/v2/tasks/<uuid:task_id>/next", "task", "to call PATCH tasks/…/next of a run"],
  ["", "call", "to make many calls"],
  ["POST none", "call", "to call POST none"],
])("the call %j about a %s is said as %j", (title, kind, words) => {
  const { before, thing, after } = refusedCall({ title, kind });

  expect([before, thing, after].filter(Boolean).join(" ")).toBe(words);
});

test.each(calls)("the call %j has words of its own", (title = "", kind = "") => {
  const { before, after } = refusedCall({ title, kind });

  expect(before).toMatch(/^to (?!call)/);
  expect(`${before} ${after}`).not.toMatch(/[<{*…/]/);
});
