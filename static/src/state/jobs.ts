import { signal } from "@preact/signals";
import { Problem } from "../client/http";
import type { JobType } from "../client/types";
import { api } from "./app";
import { collect, draftOf } from "./form";

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

const KEY = "taskroom.job";

/** The job type that was started or looked at last in this browser. */
export const lastJob = signal(read());
lastJob.subscribe(write);

function read(): string {
  try {
    return localStorage.getItem(KEY) ?? "";
  } catch {
    // A browser may refuse storage altogether: it is remembered as long as the page lasts.
    return "";
  }
}

function write(job: string): void {
  try {
    localStorage.setItem(KEY, job);
  } catch {
    // As above.
  }
}
