import { expect, test } from "vitest";
import type { Schema } from "../client/types";
import { collect, errorsAt, errorsElsewhere, initialInputs } from "./form";

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
    steps: { type: "array" },
  },
};
const inputs = { ...initialInputs(schema, "params"), "params.content": "text", "params.count": "5" };

test("begins with the defaults and leaves out what is left empty", () => {
  expect(collect(schema, inputs, "params")).toEqual({
    value: { content: "text", count: 5, kind: "quiz", careful: true, options: { depth: 3 } },
    errors: {},
  });
  const { value } = collect(schema, { ...inputs, "params.options.depth": "" }, "params");
  expect(value).not.toHaveProperty("options");
});

test.each([
  ["params.count", "", "Fill this in."],
  ["params.count", "2.5", "Enter a whole number."],
  ["params.count", "0", "Enter 1 or more."],
  ["params.count", "21", "Enter 20 or less."],
  ["params.ratio", "much", "Enter a number."],
  ["params.content", "", "Fill this in."],
  ["params.steps", "[", "This is not valid JSON."],
])("%s = %j: %s", (path, text, message) => {
  expect(collect(schema, { ...inputs, [path]: text }, "params").errors).toEqual({ [path]: [message] });
});

test("finds the server's messages for a field by either name, and those of no field", () => {
  const errors = { root: ["No such folder."], "params.steps.0.job_type": ["Unknown."], token: ["Bad."] };
  expect(errorsAt(errors, "params.root", false)).toEqual(["No such folder."]);
  expect(errorsAt(errors, "params.steps", true)).toEqual(["0.job_type: Unknown."]);
  expect(errorsElsewhere(errors, ["params.root", "params.steps"])).toEqual(["token: Bad."]);
});
