import { useEffect, useRef } from "preact/hooks";
import type { Task, TaskState } from "../client/types";
import { chooseStep } from "../state/chosen-step";
import { failedLeaf } from "../state/outline";
import { narrow } from "../state/screen";
import type { Tree } from "../state/tree";

/** Shows the log of the step by which a run has failed, when its page opens without another choice. `free`: nothing else is
 * chosen. What fails while somebody looks moves nothing. */
export function useFailedStep(tree: Tree, { task }: TaskState, free: boolean): void {
  const opening = useRef(true);
  const loaded = tree.loaded.value;
  useEffect(() => {
    if (!loaded || !opening.current) return;
    opening.current = false;
    const step = free && task.status === "FAILURE" && !narrow.value ? culpritOf(tree, task) : null;
    if (step) chooseStep(step, true);
  }, [loaded]);
}

/** The task by which a run has failed: that of the step that its error names, or one below it. */
function culpritOf(tree: Tree, { error }: Task): string | null {
  const step = error?.phase ? tree.stepOf(error.phase) : null;
  return step ? (failedLeaf(tree, step) ?? step) : failedLeaf(tree);
}
