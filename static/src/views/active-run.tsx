import { useEffect, useMemo } from "preact/hooks";
import { signal } from "@preact/signals";
import { Problem } from "../client/problem";
import { isTerminal } from "../client/types";
import { ActiveRun } from "../state/active";
import { api, connection } from "../state/app";
import { progressOf } from "../state/estimate";
import { errorsOf } from "../state/rows";
import { count } from "../state/format";
import { Bar, percentage, stateOf, TaskMark } from "./marks";
import { Link } from "./parts";
import { Says, Took } from "./run-row";

/** The reader's newest unfinished run. Its room is kept when there is none, so that the list does not move. */
export function Band() {
  const problem = useMemo(() => signal<Problem | null>(null), []);
  const run = useMemo(() => new ActiveRun(api, connection, (error) => (problem.value = Problem.of(error))), []);
  useEffect(() => () => run.stop(), [run]);
  const row = run.row.value;
  if (!row) return <p class="band hint">{problem.value ? "Your active run is not known." : "No run of yours is active."}</p>;
  const { task } = row;
  const value = progressOf(task);
  const errors = errorsOf(row);
  return (
    <section class="band" aria-label={isTerminal(task.status) ? "Your last run" : "Your active run"}>
      <Link to={`/runs/${encodeURIComponent(task.task_id)}`} class="band-row">
        <TaskMark status={task.status} />
        <strong>{task.job_type}</strong>
        <span class="says">
          <Says task={task} />
        </span>
        <span class="number errors">{errors > 0 && `${count(errors)} ${errors === 1 ? "error" : "errors"}`}</span>
        <span class="number took">
          <Took task={task} />
        </span>
        <span class="number pct">{percentage(value)}</span>
      </Link>
      <Bar value={value} state={stateOf(task.status)} label="Progress of your active run" />
    </section>
  );
}
