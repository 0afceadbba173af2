import { signal } from "@preact/signals";
import { Problem } from "../client/http";
import type { JobType } from "../client/types";
import { api } from "./app";

/** What may be started here; a problem when it could not be asked for. */
export const jobTypes = signal<readonly JobType[] | Problem | null>(null);

export async function loadJobTypes(): Promise<void> {
  if (jobTypes.value && !(jobTypes.value instanceof Problem)) return;
  try {
    jobTypes.value = await api.jobTypes();
  } catch (error) {
    jobTypes.value = Problem.of(error);
  }
}
