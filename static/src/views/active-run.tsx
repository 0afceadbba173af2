import { signal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { Problem } from "../client/problem";
import { isTerminal } from "../client/types";
import { ActiveRun } from "../state/active-run";
import { api, connection } from "../state/app";
import { progressOf } from "../state/estimate";
import { percentText, quantity } from "../state/format";
import { toneOf } from "../state/marks";
import { runAddress } from "../state/routes";
import { errorsOf } from "../state/rows";
import { Link } from "./link";
import { TaskMark } from "./marks";
import { ProgressBar } from "./progress-bar";
import { Elapsed, RunText } from "./run-row";

/** The user's newest unfinished run, above the list. Without one its space stays, so that the list does not move. */
export function ActiveRunBand() {
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
      <Link to={runAddress(task.task_id)} class="band-row">
        <TaskMark status={task.status} />
        <strong>{task.job_type}</strong>
        <span class="run-text">
          <RunText task={task} />
        </span>
        <span class="number errors">{errors > 0 && quantity(errors, "error")}</span>
        <span class="number took">
          <Elapsed task={task} />
        </span>
        <span class="number pct">{percentText(value)}</span>
      </Link>
      <ProgressBar value={value} tone={toneOf(task.status)} label="Progress of your active run" />
    </section>
  );
}
