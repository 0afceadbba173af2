import type { Below } from "../client/observed";
import { isTerminal, type TaskState } from "../client/types";
import { stepsWords } from "../state/below";

/** How the steps of a run get on, for the line of its facts: no run is green over a failed step without words. */
export function StepsFact({ state, below }: { state: TaskState; below: Below | null }) {
  const { done, failed } = stepsWords(state, below);
  const loud = failed && <strong class="s-fail">{failed}</strong>;
  const parts = isTerminal(state.task.status) ? [loud, done] : [done, loud];
  const shown = parts.filter((part) => part !== null);
  return (
    <>
      {shown.map((part, index) => (
        <>
          {index ? ", " : " · "}
          {part}
        </>
      ))}
    </>
  );
}
