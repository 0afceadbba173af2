import { signal } from "@preact/signals";
import { Problem } from "../client/problem";
import { api } from "./app";
import type { RunFilter } from "./filter";

/** The job types of the runs that there are; a problem when they could not be loaded. */
export const taskTypes = signal<readonly string[] | Problem>([]);

/** Adds the job types of runs that came since. */
export function learnTaskTypes(names: readonly string[]): void {
  const known = taskTypes.value instanceof Problem ? [] : taskTypes.value;
  const fresh = [...new Set(names)].filter((name) => !known.includes(name));
  if (fresh.length) taskTypes.value = [...known, ...fresh];
}

export async function loadTaskTypes(scope: RunFilter["scope"]): Promise<void> {
  try {
    taskTypes.value = await api.taskTypes(scope === "mine" ? undefined : scope);
  } catch (error) {
    taskTypes.value = Problem.of(error);
  }
}
