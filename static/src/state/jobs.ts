import { signal } from "@preact/signals";
import { Problem } from "../client/http";
import type { JobType } from "../client/types";
import { api } from "./app";
import { collect, draftOf } from "./form";
import { remembered } from "./settings";

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

/** One that runs as it stands, without anything filled in. */
export const easiest = (types: readonly JobType[]): JobType | undefined =>
  types.find(({ params }) => !Object.keys(collect(params, draftOf(params), "params").errors).length) ?? types[0];

/** The job type that was chosen last in this browser. */
export const lastJob = remembered("job");
