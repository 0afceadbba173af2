import { expect, test } from "vitest";
import vectors from "../../../tests/vectors/fold.json";
import recorded from "../../../tests/vectors/recorded.json";
import { fold, NOTHING } from "./fold";
import type { TaskEvent, TaskState } from "./types";

interface Vector {
  name: string;
  events: TaskEvent[];
  snapshot: TaskState;
}

function freeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(freeze);
  }
  return value;
}

test.each([...vectors, ...recorded] as unknown as Vector[])("$name", ({ events, snapshot }) => {
  expect(events.reduce((state, event) => freeze(fold(state, event)), freeze(NOTHING))).toEqual(snapshot);
});
