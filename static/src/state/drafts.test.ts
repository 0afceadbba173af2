// @vitest-environment happy-dom
import { expect, test } from "vitest";
import type { JobType } from "../client/types";
import { forgetDraft, keepDraft, keptDraft } from "./drafts";

const job: JobType = {
  job_type: "mail",
  title: "Mail",
  description: "",
  phases: [],
  params: { type: "object", properties: { to: { type: "string" }, password: { type: "string" } } },
};
const typed = { params: { to: "ada", password: "hush" }, title: "Weekly", approval: null };

test("what was typed is kept until it is sent, but for secrets", () => {
  expect(keptDraft(job)).toBeNull();
  keepDraft(job, typed);
  expect(keptDraft(job)).toEqual({ ...typed, params: { to: "ada", password: "" } });
  expect(keptDraft({ ...job, job_type: "other" })).toBeNull();
  forgetDraft(job);
  expect(keptDraft(job)).toBeNull();
});

test("what was typed for other parameters is not taken", () => {
  keepDraft(job, typed);
  expect(keptDraft({ ...job, params: { type: "object", properties: { to: { type: "integer" } } } })).toBeNull();
  forgetDraft(job);
});
