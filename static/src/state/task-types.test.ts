import { afterEach, expect, test, vi } from "vitest";
import { Problem } from "../client/problem";

vi.mock("./app", () => ({ api: { taskTypes: () => Promise.resolve(["a", "b"]) } }));
const { learnTaskTypes, loadTaskTypes, taskTypes } = await import("./task-types");

afterEach(() => void (taskTypes.value = []));

test("the type of a run that comes is known from then on, each once", async () => {
  await loadTaskTypes("mine");
  learnTaskTypes(["b", "c", "c"]);
  expect(taskTypes.value).toEqual(["a", "b", "c"]);
  const known = taskTypes.value;
  learnTaskTypes(["c", "a"]);
  expect(taskTypes.value).toBe(known);
});

test("the runs on the page are known where the types could not be loaded", () => {
  taskTypes.value = new Problem(500, "away");
  learnTaskTypes(["c"]);
  expect(taskTypes.value).toEqual(["c"]);
});
