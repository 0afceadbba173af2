import { useEffect } from "preact/hooks";
import { isTerminal, type TaskState } from "../client/types";
import { ORCHESTRATE } from "../state/phases";
import type { Tree } from "../state/tree";

/** Keeps the first page of the tree up to date; its other pages load themselves. `everyMs`: how often it is asked for while
 * something goes on, where no stream tells of the tasks below; null where the user's own does. */
export function useTree(tree: Tree, { task, phases }: TaskState, everyMs: number | null): void {
  // Each phase of such a task is a child, so a changed phase means changed children. Of others a failed one may be.
  const changing = phases.filter(({ status }) => task.job_type === ORCHESTRATE || status === "error");
  const steps = changing.map(({ status, message }) => status + message).join();
  useEffect(() => void tree.load(), [tree, steps, task.status]);
  const asks = (tree.below.value?.open !== 0 || !isTerminal(task.status)) && !tree.problem.value?.isRefusal;
  useEffect(() => {
    if (!asks || everyMs === null) return undefined;
    const timer = setInterval(() => void tree.load(), everyMs);
    return () => clearInterval(timer);
  }, [tree, asks, everyMs]);
}
