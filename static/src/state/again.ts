import type { Schema, Task } from "../client/types";
import { hasTitle } from "./format";

/** What stands in place of a secret, which no page is sent. */
const MASK = "[redacted]";

/** Returns the parameters of a run to begin a form with: what is not shown has to be typed again. */
export const shownParams = (task: Task | undefined): unknown => unmasked(task?.params ?? undefined);

function unmasked(value: unknown): unknown {
  if (value === MASK) return undefined;
  if (Array.isArray(value)) return value.map(unmasked);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, unmasked(part)]));
}

/** Returns the title that a run was given; empty where it has that of its job type. */
export const ownTitle = (task: Task | undefined): string => (task && hasTitle(task) ? task.title : "");

/** Returns the parameters of a run for which its form has no field: a job type may take any. */
export function hiddenParams(schema: Schema, task: Task | undefined): Record<string, unknown> {
  const known = schema.properties ?? {};
  const others = Object.entries(task?.params ?? {}).filter(([name]) => !(name in known));
  return schema.additionalProperties === false ? {} : Object.fromEntries(others);
}
