import { signal } from "@preact/signals";
import { Problem } from "../client/problem";
import type { BrokenFile, JobType } from "../client/types";
import { api } from "./app";
import { collect, draftOf } from "./form";
import { storedText } from "./settings";

/** The job types that the server offers; a problem when they could not be loaded. */
export const jobTypes = signal<readonly JobType[] | Problem | null>(null);

/** Job files that the server cannot import: their job types are missing. */
export const brokenFiles = signal<readonly BrokenFile[]>([]);

export async function loadJobTypes(): Promise<void> {
  // None are known before the first worker has started: they are asked for again.
  if (jobTypes.value && !(jobTypes.value instanceof Problem) && jobTypes.value.length) return;
  try {
    const { job_types, broken = [] } = await api.jobTypes();
    brokenFiles.value = broken;
    jobTypes.value = job_types;
  } catch (error) {
    jobTypes.value = Problem.of(error);
  }
}

/** Returns a job type that runs without any input, else the first. */
export const easiest = (types: readonly JobType[]): JobType | undefined =>
  types.find(({ params }) => !Object.keys(collect(params, draftOf(params), "params").errors).length) ?? types[0];

/** The job type that was chosen last in this browser. */
export const lastJob = storedText("job");
