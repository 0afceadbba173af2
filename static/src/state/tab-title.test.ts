// @vitest-environment happy-dom
import { expect, test } from "vitest";
import { NOTHING } from "../client/fold";
import type { Task } from "../client/types";
import { markAddress, SHAPES, statusWord } from "./marks";
import { announcementOf, titleOf } from "./tab-title";

const task = (fields: Partial<Task>): Task => ({ ...NOTHING.task, job_type: "kb", status: "STARTED", ...fields });

test.each([
  [{ progress: 61.9 }, "61 % · kb"],
  [{ progress: 0, progress_known: false }, "running · kb"],
  [{ status: "PENDING", progress: 0 }, "0 % · kb"],
  [{ status: "SUCCESS", progress: 100 }, "✓ · kb"],
  [{ status: "FAILURE", progress: 66 }, "✕ · kb"],
  [{ status: "REVOKED", progress: 66 }, "✕ · kb"],
] as [Partial<Task>, string][])("a tab of %o is called %s", (fields, title) => {
  expect(titleOf(task(fields))).toBe(title);
});

test("what is announced changes with status and phase, not with each percent", () => {
  const running = task({ current_phase: "load", progress: 10 });

  expect(announcementOf(running)).toBe("kb running, load");
  expect(announcementOf({ ...running, progress: 11, current_phase_message: "x" })).toBe(announcementOf(running));
  expect(announcementOf({ ...running, status: "SUCCESS" })).toBe("kb succeeded");
});

test.each(["PENDING", "WAITING", "STARTED", "RETRY", "SUCCESS", "FAILURE", "REVOKED"] as const)(
  "the icon of %s is a picture of its mark over the bar of the run",
  (status) => {
    const parts = [
      { colour: "green", share: 0.5, done: 1 },
      { colour: "blue", share: 0.25, done: 0.5 },
      { colour: "gray", share: 0.25, done: 0 },
    ];
    const address = markAddress(statusWord(status), "oklch(0.5 0.1 250)", parts, "silver");
    const svg = decodeURIComponent(address.replace("data:image/svg+xml,", ""));
    const picture = new DOMParser().parseFromString(svg, "image/svg+xml");

    expect(picture.documentElement.nodeName).toBe("svg");
    expect(picture.querySelectorAll("path")).toHaveLength(SHAPES[statusWord(status)]?.length ?? -1);
    expect(svg).toContain("oklch(0.5 0.1 250)");
    const bars = [...picture.querySelectorAll("rect")].map((bar) => [bar.getAttribute("fill"), Number(bar.getAttribute("width"))]);
    expect(bars).toEqual([["silver", 7.25], ["green", 7.25], ["silver", 3.63], ["blue", 1.81], ["silver", 3.63]]);
  },
);
