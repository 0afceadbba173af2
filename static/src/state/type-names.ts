import { Problem } from "../client/problem";
import type { JobType } from "../client/types";

/** Returns the names that a filter offers: what can be started, what was run elsewhere, and what is chosen. */
export function typeNames(
  declared: readonly JobType[] | Problem | null,
  found: readonly string[] | Problem,
  chosen: string,
): string[] {
  const names = declared && !(declared instanceof Problem) ? declared.map(({ job_type }) => job_type) : [];
  const known = new Set([...names, ...(found instanceof Problem ? [] : found)]);
  return chosen && !known.has(chosen) ? [chosen, ...known] : [...known];
}
