import type { Below } from "../client/observed";
import { isTerminal, type Task, type TaskState } from "../client/types";
import { count, quantity } from "./format";
import { stepsOf } from "./outline";
import { ORCHESTRATE } from "./phases";

/** What a run says of the tasks below it, in two parts: the first is said plainly, the second loudly. */
interface StepsWords {
  done: string | null;
  failed: string | null;
}

/** Says how the steps of a run get on, or what is below a run that has none. */
export function stepsWords({ task, phases }: TaskState, below: Below | null): StepsWords {
  const over = isTerminal(task.status);
  const steps = stepsOf(task, ORCHESTRATE)?.length;
  const failed = below?.failed ?? 0;
  const most = below?.complete === false ? "at least " : "";
  if (steps === undefined) {
    const known = below?.tasks ?? 0;
    const done = over || !known ? null : `${count(known - (below?.open ?? 0))} of ${most}${quantity(known, "task")} below`;
    return { done, failed: failed ? `${most}${quantity(failed, "task")} below failed` : null };
  }
  const ended = phases.filter(({ status }) => status === "completed" || status === "error").length;
  const unsuccessful = phases.filter(({ status }) => status === "error").length;
  const loud = failed ? `${most}${over ? quantity(failed, "step") : count(failed)} failed` : over && unsuccessful ? `${quantity(unsuccessful, "step")} did not succeed` : null;
  const missed = steps - phases.length;
  return { done: !over ? `${count(ended)} of ${quantity(steps, "step")}` : missed > 0 ? `${count(missed)} not reached` : null, failed: loud };
}

/** The same in short, where there is little space; null where nothing failed. */
export const failedShort = (below: Below | null): string | null => (below?.failed ? `${count(below.failed)} failed` : null);

/** What the row of a list says of failures below a run that is not itself shown as failed; null for none. */
export function failedOfRow({ status, job_type, failed_below }: Task): string | null {
  if (!failed_below || status === "FAILURE") return null;
  return job_type === ORCHESTRATE ? `${quantity(failed_below, "step")} failed` : `${quantity(failed_below, "task")} below failed`;
}
