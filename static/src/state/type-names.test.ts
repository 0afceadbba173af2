import { expect, test } from "vitest";
import { Problem } from "../client/problem";
import type { JobType } from "../client/types";
import { typeNames } from "./type-names";

const declared = ["artifact", "kb"].map((job_type) => ({ job_type }) as JobType);
const problem = Problem.of(new Error("away"));

test("a filter offers what can be started, then what was run elsewhere, each once", () => {
  expect(typeNames(declared, ["kb", "shop.mail"], "")).toEqual(["artifact", "kb", "shop.mail"]);
});

test("what is chosen is offered even where nothing is known of it", () => {
  expect(typeNames(declared, [], "gone")).toEqual(["gone", "artifact", "kb"]);
  expect(typeNames(null, problem, "gone")).toEqual(["gone"]);
});

test("what could not be loaded takes nothing else away", () => {
  expect(typeNames(problem, ["shop.mail"], "")).toEqual(["shop.mail"]);
  expect(typeNames(declared, problem, "kb")).toEqual(["artifact", "kb"]);
});
