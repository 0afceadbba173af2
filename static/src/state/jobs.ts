import { signal } from "@preact/signals";
import type { Api } from "../client/api";
import type { JobType } from "../client/types";

/** The job types, once they are known: asked for once, for they change with a release only. */
export const jobTypes = signal<readonly JobType[]>([]);
let asked = false;

export async function loadJobTypes(api: Api): Promise<void> {
  if (asked) return;
  asked = true;
  try {
    jobTypes.value = await api.jobTypes();
  } catch {
    asked = false; // the next page asks again; until then nobody knows what phases are ahead
  }
}
