import { expect, test } from "vitest";
import type { Schema } from "../client/types";
import { collect, draftOf, errorsAt, errorsElsewhere, itemOf, type Draft } from "./form";

const approval: Schema = {
  type: "object",
  required: ["title"],
  properties: { title: { type: "string", minLength: 1 }, risk: { enum: ["low", "high"], default: "low" } },
};
const schema: Schema = {
  type: "object",
  required: ["content", "count"],
  properties: {
    content: { type: "string", minLength: 1 },
    count: { type: "integer", minimum: 1, maximum: 20 },
    ratio: { type: ["number", "null"] },
    kind: { enum: ["quiz", "cards"], default: "quiz" },
    careful: { type: "boolean", default: true },
    options: { type: "object", properties: { depth: { type: "integer", default: 3 } } },
    extra: { type: "object" },
    rows: { type: "array" },
    approval,
  },
};
const fresh = draftOf(schema) as Record<string, Draft>;
const draft = { ...fresh, content: "text", count: "5" };

test("begins with the defaults and leaves out what is left empty", () => {
  expect(collect(schema, draft, "params")).toEqual({
    value: { content: "text", count: 5, kind: "quiz", careful: true, options: { depth: 3 } },
    errors: {},
  });
  const { value } = collect(schema, { ...draft, options: { depth: "" } }, "params");
  expect(value).not.toHaveProperty("options");
});

test("a number that was typed keeps all its digits", () => {
  const long: Schema = { type: "integer", minimum: 1 };
  expect(collect(long, "9007199254740993", "id").value).toBe(9007199254740993n);
  expect(collect(long, "-9007199254740993", "id").errors).toEqual({ id: ["Enter 1 or more."] });
  expect(draftOf(long, true, 9007199254740993n)).toBe("9007199254740993");
  expect(collect({}, '{"id": 9007199254740993}', "any").value).toEqual({ id: 9007199254740993n });
  expect(draftOf({}, true, { id: 9007199254740993n })).toBe('{"id":9007199254740993}');
});

test.each([
  ["count", "", "Fill this in."],
  ["count", "2.5", "Enter a whole number."],
  ["count", "0", "Enter 1 or more."],
  ["count", "21", "Enter 20 or less."],
  ["ratio", "much", "Enter a number."],
  ["content", "", "Fill this in."],
  ["rows", "[", "This is not valid JSON."],
  ["extra", "[1]", 'Enter a JSON object: {"name": …}.'],
])("%s = %j: %s", (name, text, message) => {
  expect(collect(schema, { ...draft, [name]: text }, "params").errors).toEqual({ [`params.${name}`]: [message] });
});

test("an optional object is asked for only when it is wanted", () => {
  expect(fresh.approval).toBeNull();
  expect(collect(schema, draft, "params").value).not.toHaveProperty("approval");

  const wanted = { ...draft, approval: draftOf(approval) };
  expect(collect(schema, wanted, "params").errors).toEqual({ "params.approval.title": ["Fill this in."] });
  const filled = { ...draft, approval: { title: "Go on?", risk: '"high"' } };
  expect(collect(schema, filled, "params").value).toMatchObject({ approval: { title: "Go on?", risk: "high" } });
});

test("a list begins with as many items as it must have, each of them checked", () => {
  const list: Schema = { type: "array", minItems: 2, items: { type: "object", required: ["n"], properties: { n: { type: "integer" } } } };
  expect(draftOf(list)).toEqual([{ n: "" }, { n: "" }]);
  expect(draftOf(list, false)).toEqual([]);
  expect(draftOf(list, true, [{ n: 3 }])).toEqual([{ n: "3" }]);

  expect(collect(list, [{ n: "1" }, { n: "x" }], "params.list").errors).toEqual({
    "params.list.1.n": ["Enter a number."],
  });
  expect(collect(list, [itemOf(list, { n: 1 })], "params.list").errors).toEqual({ "params.list": ["Add 2 at least."] });
  expect(collect(list, [{ n: "1" }, { n: "2" }], "params.list").value).toEqual([{ n: 1 }, { n: 2 }]);
  expect(collect(list, [], "params.list", false)).toEqual({ value: undefined, errors: {} });
});

test("finds the server's messages for a field by either name, and those of no field", () => {
  const errors = { root: ["No such folder."], "params.steps.0.job_type": ["Unknown."], token: ["Bad."] };
  expect(errorsAt(errors, "params.root", false)).toEqual(["No such folder."]);
  expect(errorsAt(errors, "params.steps", true)).toEqual(["0.job_type: Unknown."]);
  expect(errorsAt(errors, "params.steps.0.job_type", true)).toEqual(["Unknown."]);
  expect(errorsAt({ "approval.title": ["Missing."] }, "approval.title", true)).toEqual(["Missing."]);
  expect(errorsElsewhere(errors, ["params.root", "params.steps"])).toEqual(["token: Bad."]);
});

test("a time of a run keeps its seconds in a form", () => {
  const at: Schema = { type: "string", format: "date-time" };
  for (const time of ["2026-12-24T18:30:00.000Z", "2026-12-24T18:30:15.000Z", "2026-12-24T18:30:15.250Z"]) {
    expect(collect(at, draftOf(at, true, time), "at").value).toBe(time);
  }
  expect(draftOf(at, true, "2026-12-24T18:30:00Z")).toMatch(/T\d\d:\d\d$/);
});
