import { expect, test } from "vitest";
import { NOTHING } from "../client/fold";
import { hiddenParams, ownTitle, shownParams } from "./again";

const task = { ...NOTHING.task, job_type: "mail", title: "Task: mail", params: { to: ["a", "[redacted]"], login: { password: "[redacted]", name: "b" }, n: 0 } };

test("a masked value is not taken for the secret", () => {
  expect(shownParams(task)).toEqual({ to: ["a", undefined], login: { password: undefined, name: "b" }, n: 0 });
  expect(shownParams(undefined)).toBeUndefined();
});

test("the title that a job type gives is none", () => {
  expect([ownTitle(task), ownTitle({ ...task, title: "May" }), ownTitle(undefined)]).toEqual(["", "May", ""]);
});

test("parameters without a field are those that the schema takes and does not name", () => {
  const properties = { n: {} };
  expect(Object.keys(hiddenParams({ properties }, task))).toEqual(["to", "login"]);
  expect(hiddenParams({ properties, additionalProperties: false }, task)).toEqual({});
});
