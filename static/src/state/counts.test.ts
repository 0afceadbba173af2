import { expect, test } from "vitest";
import type { StatusCounts, TaskEvent } from "../client/types";
import { StatusTally, total } from "./counts";
import { filterOf } from "./filter";

const user = { id: "u", email: "a@example.org", role: "operator", tenant: "acme" };
const none = { PENDING: 0, WAITING: 0, STARTED: 0, RETRY: 0, SUCCESS: 0, FAILURE: 0, REVOKED: 0 };
const created = (sequence: number): TaskEvent => ({ type: "task_created", sequence, status: "PENDING" });
const started = (sequence: number): TaskEvent => ({
  type: "status_changed",
  sequence,
  status: "STARTED",
  previous_status: "PENDING",
});

function tally(address = "/") {
  const answers: ((answer: StatusCounts) => void)[] = [];
  const counts = () => new Promise<StatusCounts>((answer) => answers.push(answer));
  return { answers, tally: new StatusTally({ counts }, filterOf(address, user)) };
}

test("each event counts once, whether the answer knew it or not", async () => {
  const { answers, tally: counts } = tally();
  const loading = counts.load();
  counts.event(created(4));
  counts.event(created(5));
  answers[0]?.({ counts: { ...none, PENDING: 7 }, sequence: 4, complete: true });
  await loading;
  expect(counts.value.value).toEqual({ ...none, PENDING: 8 });

  counts.event(created(5 - 1));
  counts.event(started(6));
  expect(counts.value.value).toEqual({ ...none, PENDING: 7, STARTED: 1 });
  expect(total(counts.value.value ?? none)).toBe(8);
});

test("an answer that was overtaken does not take the counts back", async () => {
  const { answers, tally: counts } = tally();
  const both = [counts.load(), counts.load()];
  answers[1]?.({ counts: { ...none, SUCCESS: 2 }, sequence: 9, complete: true });
  answers[0]?.({ counts: { ...none, SUCCESS: 1 }, sequence: 8, complete: true });
  await Promise.all(both);
  expect(counts.value.value?.SUCCESS).toBe(2);
});

test.each(["/?q=x", "/?job_type=x", "/?scope=tenant"])("events are not enough for %s", async (address) => {
  const { answers, tally: counts } = tally(address);
  const loading = counts.load();
  answers[0]?.({ counts: none, sequence: 1, complete: true });
  await loading;
  counts.event(created(2));
  expect([counts.exact, counts.value.value]).toEqual([false, none]);
});
