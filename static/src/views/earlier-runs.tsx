import { useState } from "preact/hooks";
import type { RelatedRun } from "../client/related";
import type { Task } from "../client/types";
import { tickingServerNow } from "../state/clock";
import { barsOf, isApart, lastSuccess, usualText } from "../state/earlier";
import { compareAddress, jobAddress } from "../state/routes";
import "../style/earlier.css";
import { Link } from "./link";
import { Strip } from "./strip";

/** The runs of the job type up to this one as bars, how long they usually take, and the way to compare with one. */
export function EarlierRuns({ task, runs }: { task: Task; runs: readonly RelatedRun[] | null }) {
  const now = tickingServerNow();
  const [at, look] = useState<string | null>(null);
  if (!runs || runs.length < 2) return null;
  // The page knows more of its own run than the list did.
  const bars = barsOf(
    runs.map((run) => (run.task_id === task.task_id ? { ...run, ...timesOf(task) } : run)),
    now,
  );
  const seen = bars.find(({ run }) => run.task_id === at);
  const success = lastSuccess(runs, task.task_id);
  return (
    <section class="earlier" aria-label="Earlier runs">
      <h2>Earlier runs</h2>
      <Strip bars={bars} apart={isApart(runs)} own={task.task_id} look={look} />
      <p class="number earlier-text" aria-live="off">
        {seen && seen.run.task_id !== task.task_id ? seen.text : usualText(task, now)}
      </p>
      <Link to={compareAddress(task.task_id, success?.task_id)}>
        {success ? "Compare with the last success" : "Compare with an earlier run"}
      </Link>
      <Link to={jobAddress(task.job_type)}>All runs of this job</Link>
    </section>
  );
}

const timesOf = ({ status, started_at, finished_at }: Task) => ({ status, started_at, finished_at });
