import { expect, test, vi } from "vitest";
import type { NoticeChoices } from "../client/account";
import { Problem } from "../client/problem";
import { ChosenNotices } from "./notice-choices";

const FIRST: NoticeChoices = { default: "all", job_types: { mail: "none" } };

async function loaded(choose = vi.fn().mockResolvedValue({})) {
  const notices = new ChosenNotices({ choices: () => Promise.resolve(FIRST), choose });
  await notices.load();
  return { notices, choose };
}

test("a choice is kept with the others, and one is taken back to that of all", async () => {
  const { notices, choose } = await loaded();
  await notices.set("report", "failures");
  await notices.set("mail", null);
  await notices.setDefault("approvals");
  expect(choose.mock.calls.at(-1)).toEqual([{ default: "approvals", job_types: { report: "failures" } }]);
  expect(notices.saved.value).toBe(true);
});

test("what is chosen while a request is under way is sent after it, the newest alone", async () => {
  let answer = (): void => undefined;
  const choose = vi.fn().mockImplementationOnce(() => new Promise<void>((resolve) => (answer = resolve)));
  const { notices } = await loaded(choose);
  const first = notices.setDefault("none");
  await notices.setDefault("failures");
  await notices.setDefault("approvals");
  expect(choose).toHaveBeenCalledTimes(1);
  answer();
  await first;
  expect(choose.mock.calls.map(([sent]) => sent.default)).toEqual(["none", "approvals"]);
  expect(notices.chosen.value?.default).toBe("approvals");
});

test("a choice that cannot be kept is taken back", async () => {
  const { notices } = await loaded(vi.fn().mockRejectedValue(new Problem(503, "away")));
  await notices.setDefault("none");
  expect([notices.chosen.value, notices.problem.value?.status, notices.saved.value]).toEqual([FIRST, 503, false]);
});
