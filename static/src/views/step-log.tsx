import { useEffect, useMemo } from "preact/hooks";
import { taskTone, taskWord } from "../state/marks";
import { nameOf } from "../state/outline";
import { runAddress } from "../state/routes";
import { Elapsed } from "./elapsed";
import { Link } from "./link";
import { Log } from "./log";
import { TaskMark } from "./marks";
import { ProblemMessage } from "./problem-message";
import type { TreeHost } from "./tree-host";

interface Props {
  host: TreeHost;
  taskId: string;
  live: boolean;
  close: () => void;
}

/** The log of a step, live, beside the tree of its run. Escape closes it. */
export function StepLog({ host, taskId, live, close }: Props) {
  const run = useMemo(() => host.run(taskId), [taskId]);
  useEffect(() => () => run.stop(), [run]);
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      const other = event.target instanceof Element && event.target.closest("input, textarea, select, dialog");
      if (event.key !== "Escape" || event.defaultPrevented || other || document.querySelector(".log.full, dialog[open]")) return;
      close();
    };
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  }, [close]);
  const state = run.state.value;
  const progress = run.progress.value;
  const problem = progress.kind === "refused" || progress.kind === "loading" ? progress.problem : undefined;
  const name = state ? nameOf(state.task) : "";
  return (
    <section class="step-log" aria-label={state ? `Log of ${name}` : "Log of the step"}>
      <header>
        {state && (
          <>
            <TaskMark status={state.task.status} word={taskWord(state.task)} />
            <h2>{host.linked ? <Link to={runAddress(taskId)}>{name}</Link> : name}</h2>
            <span class="number">
              <strong class={`s-${taskTone(state.task)}`}>{taskWord(state.task)}</strong> <Elapsed task={state.task} />
            </span>
          </>
        )}
        <button type="button" class="quiet" aria-label="Close the log" title="Close the log (Escape)" onClick={close}>
          ✕
        </button>
      </header>
      {state ? <Log run={run} live={live} embedded={!host.linked} /> : problem && <ProblemMessage problem={problem} />}
    </section>
  );
}
