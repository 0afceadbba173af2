import { expect, test } from "vitest";
import { NOTHING } from "../client/fold";
import type { Schema, Task } from "../client/types";
import { ownTitle, schemaFor } from "./again";
import { collect, draftOf, type Draft } from "./form";

const MASK = "[redacted]";
const task = (params: Task["params"]): Task => ({ ...NOTHING.task, job_type: "mail", title: "Task: mail", params });
const open: Schema = { type: "object", properties: { n: { type: "integer", default: 5 } }, additionalProperties: true };

/** What the form of a run begins with, and what it sends when nothing, or this, is typed. */
function form(schema: Schema, params: Task["params"], typed: (draft: Record<string, Draft>) => object = () => ({})) {
  const made = schemaFor(schema, task(params));
  const draft = draftOf(made, true, params ?? {}) as Record<string, Draft>;
  return { made, draft, ...collect(made, { ...draft, ...typed(draft) } as Draft, "params") };
}

test("the title that a job type gives is none", () => {
  expect([ownTitle(task({})), ownTitle({ ...task({}), title: "May" }), ownTitle(undefined)]).toEqual(["", "May", ""]);
});

test("what a schema takes and does not name has a field, and stays as it is", () => {
  const params = { n: 0, colour: "red", empty: "", big: 2.5, on: false, none: null, list: [1, "a"], more: { a: { b: 1 } }, text: "a\nb" };

  const { made, value, errors } = form(open, params);

  expect([value, errors]).toEqual([params, {}]);
  expect(Object.keys(made.properties ?? {})).toEqual(Object.keys(params));
  expect(made.properties?.text).toEqual({ type: "string", maxLength: 65_536 });
  expect(form({ ...open, additionalProperties: false }, params).value).toEqual({ n: 0 });
  expect(form({ type: "object" }, { colour: "red" }).value).toEqual({ colour: "red" });
  expect(form({ ...open, additionalProperties: { type: "integer" } }, { m: 3 }).made.properties?.m).toEqual({ type: "integer" });
});

test("values without a field are kept in objects that have fields", () => {
  const schema: Schema = { type: "object", properties: { login: { type: "object", properties: { name: { type: "string" } } } } };
  const params = { login: { name: "ada", realm: "main" } };

  expect(form(schema, params).value).toEqual(params);
  expect(form(schema, params, () => ({ login: null })).value).toEqual({});
  expect(form(schema, {}).value).toEqual({});
});

test("what is masked has an empty field, wherever it is, which has to be filled in", () => {
  const params = { api: MASK, login: { name: "b", deep: { pin: MASK } } };

  const { draft, errors } = form(open, params);

  expect(draft).toEqual({ n: "5", api: "", login: { name: "b", deep: { pin: "" } } });
  expect(errors).toEqual({ "params.api": ["Fill this in."], "params.login.deep.pin": ["Fill this in."] });
  const typed = () => ({ api: "k", login: { name: "b", deep: { pin: "7" } } });
  expect(form(open, params, typed).value).toEqual({ n: 5, api: "k", login: { name: "b", deep: { pin: "7" } } });
});

test("a masked field of the schema that must be given has to be filled in, and one that need not be is left out", () => {
  const schema: Schema = {
    type: "object",
    required: ["key"],
    properties: { key: { type: "string" }, old: { type: "string", default: "x", description: "An old one." } },
    additionalProperties: { type: "string" },
  };

  const { made, draft, errors } = form(schema, { key: MASK, old: MASK, other: MASK });

  expect(draft).toEqual({ key: "", old: "", other: "" });
  expect(errors).toEqual({ "params.key": ["Fill this in."], "params.other": ["Fill this in."] });
  expect(Object.values(made.properties ?? {}).map(({ description }) => description)).toEqual([
    "It was given and is not shown: type it again.",
    "An old one. It was given and is not shown: type it again, or go without.",
    "It was given and is not shown: type it again.",
  ]);
});

test("a masked item of a list has to be typed again", () => {
  const schema: Schema = { type: "object", properties: { to: { type: "array", items: { type: "string" } } } };

  const { draft, errors } = form(schema, { to: ["a", MASK] });

  expect(draft.to).toEqual(["a", ""]);
  expect(errors).toEqual({ "params.to.1": ["Fill this in."] });
});

test("items of a list keep their fields, of which masked ones have to be typed again", () => {
  const login: Schema = { type: "object", required: ["password"], properties: { name: { type: "string" }, password: { type: "string" } } };
  const schema: Schema = { type: "object", properties: { logins: { type: "array", items: login } } };

  const { made, draft, errors } = form(schema, { logins: [{ name: "a", password: MASK }, { name: "b", password: MASK }] });

  expect(draft.logins).toEqual([{ name: "a", password: "" }, { name: "b", password: "" }]);
  expect(errors).toEqual({ "params.logins.0.password": ["Fill this in."], "params.logins.1.password": ["Fill this in."] });
  expect(made.properties?.logins?.items?.properties?.password?.description).toBe("It was given and is not shown: type it again.");
});

test("within JSON the mask is seen, and a list whose items have values without a field is JSON", () => {
  const step: Schema = { type: "object", properties: { job: { type: "string" }, params: { type: "object" } }, additionalProperties: false };
  const schema: Schema = { type: "object", properties: { steps: { type: "array", items: step }, to: { type: "array", items: { type: "object", properties: {} } } } };
  const params = { steps: [{ job: "a", params: { host: "b", password: MASK } }], to: [{ key: MASK }, {}] };

  const { draft } = form(schema, params);

  expect(draft.steps).toEqual([{ job: "a", params: '{"host":"b","password":"[redacted]"}' }]);
  expect(draft.to).toEqual(['{"key":"[redacted]"}', "{}"]);
});
