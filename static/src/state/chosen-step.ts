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
  const before = chosenStep(location.search);
  const params = new URLSearchParams(location.search);
  // What was chosen of another log.
  for (const name of ["step", "level", "phase"]) params.delete(name);
  if (taskId) params.set("step", taskId);
  go(withQuery(location.pathname, params) + (taskId ? "" : `#${TREE_HASH}`), replace || before !== null);
}
