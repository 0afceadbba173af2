import { go } from "./address";
import { runAddress } from "./routes";
import { paramsOf, withQuery } from "./url";

/** The part of a run's address behind `#` of the page with its tree. */
export const TREE_HASH = "children";

export const chosenStep = (at: string): string | null => paramsOf(at).get("step") || null;

/** Returns the address of a run's tree with a step of it, whose log is beside. */
export const stepAddress = (runId: string, taskId: string): string => `${runAddress(runId)}?step=${encodeURIComponent(taskId)}`;

/** Shows the log of a step beside the tree, or none. Going from one step to another is no new entry of the history. */
export function chooseStep(taskId: string | null, replace = false): void {
  go(withStep(taskId) + (taskId ? "" : `#${TREE_HASH}`), replace || chosenStep(location.search) !== null);
}

/** Takes the step out of the address of another part of the page, whose log is that of the run. */
export const forgetStep = (): void => go(withStep(null) + location.hash, true);

/** The address with this step, and without what was chosen of another log. */
function withStep(taskId: string | null): string {
  const params = new URLSearchParams(location.search);
  for (const name of ["step", "level", "phase"]) params.delete(name);
  if (taskId) params.set("step", taskId);
  return withQuery(location.pathname, params);
}
