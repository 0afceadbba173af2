import { expect, test } from "vitest";
import type { JobType, Schema } from "../client/types";
import { MASK } from "./secrets";
import { collect, draftOf, type Draft } from "./form";
import { moved, newParams, newStep, stepLists, stepName, unfolded, withStepFields } from "./steps";

const step: Schema = {
  type: "object",
  required: ["job_type"],
  properties: {
    job_type: { type: "string", minLength: 1 },
    params: { type: "object", default: {} },
    title: { type: "string" },
    approval: { type: "object", required: ["title"], properties: { title: { type: "string", minLength: 1 } } },
    on_failure: { type: "string", enum: ["stop", "continue"], default: "stop" },
  },
};
const params: Schema = {
  type: "object",
  required: ["steps"],
  properties: { steps: { type: "array", items: step, minItems: 1 }, mode: { type: "string", enum: ["sequence", "parallel"], default: "sequence" } },
};
const type = (job_type: string, of: Schema, title = ""): JobType => ({ job_type, title, description: "", params: of, phases: [] });
const copy = type("copy", { type: "object", required: ["to"], properties: { to: { type: "string", minLength: 1 }, times: { type: "integer", default: 2 } } }, "Copy");
const orchestrate = type("orchestrate", params, "Several steps");
const TYPES = [copy, orchestrate];
const list = params.properties?.steps as Schema;

const collected = (steps: readonly Draft[]) => {
  const draft = { ...(draftOf(params) as Record<string, Draft>), steps };
  return collect(withStepFields(params, draft, TYPES), draft, "params");
};

test("a step has the fields of its own job, and an error says at which step and field", () => {
  expect(stepLists(params)).toEqual(["steps"]);
  const one = newStep(list, copy);
  expect(one).toEqual({ job_type: "copy", params: { to: "", times: "2" }, title: "", approval: null, on_failure: '"stop"' });

  expect(collected([one]).errors).toEqual({ "params.steps.0.params.to": ["Fill this in."] });
  const filled = { ...one, params: { to: "there", times: "3" } };
  expect(collected([filled])).toEqual({
    value: { mode: "sequence", steps: [{ job_type: "copy", params: { to: "there", times: 3 }, on_failure: "stop" }] },
    errors: {},
  });
});

test("a new form begins with one step, and one without steps as it is", () => {
  expect(newParams(params)).toEqual({ steps: [newStep(list, null)], mode: '"sequence"' });
  expect(newParams(copy.params)).toEqual(draftOf(copy.params));
});

test("a step without a job and a list without a step are errors of their own", () => {
  expect(collected([newStep(list, null)]).errors).toEqual({ "params.steps.0.job_type": ["Fill this in."] });
  expect(collected([]).errors).toEqual({ "params.steps": ["Add one at least."] });
});

test("an approval of a step goes with it", () => {
  const asked = { ...newStep(list, copy), params: { to: "x", times: "" }, approval: { title: "Copy it?" } };
  expect(collected([asked]).value).toEqual({
    mode: "sequence",
    steps: [{ job_type: "copy", params: { to: "x" }, approval: { title: "Copy it?" }, on_failure: "stop" }],
  });
});

test("steps within a step are entered as JSON", () => {
  const nested = newStep(list, orchestrate);
  expect(nested.params).toEqual({ steps: "", mode: '"sequence"' });
  const filled = { ...nested, params: { steps: '[{"job_type": "copy", "params": {"to": "x"}}]', mode: '"parallel"' } };
  expect(collected([filled]).value).toEqual({
    mode: "sequence",
    steps: [{ job_type: "orchestrate", on_failure: "stop", params: { mode: "parallel", steps: [{ job_type: "copy", params: { to: "x" } }] } }],
  });
});

test("the steps of a run have their fields, and JSON where a field is missing or nobody knows the job", () => {
  const given = {
    steps: [
      { job_type: "copy", params: { to: "a", times: 5 } },
      { job_type: "copy", params: { to: "a", more: 1 } },
      { job_type: "elsewhere", params: { x: 1 } },
      { job_type: "copy", params: { to: MASK } },
    ],
  };
  const draft = unfolded(params, draftOf(params, true, given), given, TYPES) as { steps: { params: Draft }[] };
  expect(draft.steps.map((one) => one.params)).toEqual([{ to: "a", times: "5" }, '{"to":"a","more":1}', '{"x":1}', `{"to":"${MASK}"}`]);
  expect((collect(withStepFields(params, draft, TYPES), draft, "params").value as typeof given).steps.map((one) => one.params)).toEqual(
    given.steps.map((one) => one.params),
  );
});

test("a step is moved, and called by its title or its job", () => {
  expect(moved(["a", "b", "c"], 0, 2)).toEqual(["b", "c", "a"]);
  expect(moved(["a", "b", "c"], 2, 1)).toEqual(["a", "c", "b"]);
  expect(stepName(newStep(list, copy), TYPES)).toBe("Copy");
  expect(stepName({ ...newStep(list, copy), title: "Copy all" }, TYPES)).toBe("Copy all");
  expect(stepName(newStep(list, null), TYPES)).toBe("No job yet");
});
