import { signal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { Problem } from "../client/problem";
import { isTerminal } from "../client/types";
import { ActiveRun } from "../state/active-run";
import { api, connection, mayAct } from "../state/app";
import { taskTone, taskWord } from "../state/marks";
import { needsApproval } from "../state/phase-bar";
import { runAddress } from "../state/routes";
import { errorsText } from "../state/rows";
import "../style/band.css";
import { Elapsed } from "./elapsed";
import { Link } from "./link";
import { TaskMark } from "./marks";
import { RowBar, RowName, RunText } from "./run-row";

/** The user's newest unfinished run, above the list. Without one its space stays, so that the list does not move. */
export function ActiveRunBand() {
  const problem = useMemo(() => signal<Problem | null>(null), []);
  const run = useMemo(() => new ActiveRun(api, connection, (error) => (problem.value = Problem.of(error))), []);
  useEffect(() => () => run.stop(), [run]);
  const row = run.row.value;
  if (!row) return <p class="band hint">{problem.value ? "Your active run is not known." : "No run of yours is active."}</p>;
  const { task } = row;
  const asks = needsApproval(task);
  return (
    <section class="band" aria-label={isTerminal(task.status) ? "Your last run" : "Your active run"}>
      <Link to={runAddress(task.task_id)} class={`band-row spine s-${asks ? "wait" : taskTone(task)}`}>
        <TaskMark status={task.status} word={taskWord(task)} />
        <RowName task={task} />
        <span class="run-text">
          <RunText task={task} />
        </span>
        {asks && mayAct.value && <span class="band-ask">Approve or reject</span>}
        <span class="number errors">{errorsText(row)}</span>
        <RowBar row={row} label="Progress of your active run" />
        <span class="number took">
          <Elapsed task={task} />
        </span>
      </Link>
    </section>
  );
}
