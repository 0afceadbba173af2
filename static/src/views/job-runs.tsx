import { useState } from "preact/hooks";
import type { RelatedRun } from "../client/related";
import { tickingServerNow } from "../state/clock";
import { barsOf } from "../state/earlier";
import { Link } from "./link";
import { Strip } from "./strip";

interface Props {
  runs: readonly RelatedRun[];
  /** The address of all runs. */
  list: string;
  /** Whether there are runs that have not begun. */
  waiting: boolean;
}

/** The newest runs that have begun as bars, each the way to its page. */
export function JobRuns({ runs, list, waiting }: Props) {
  const [at, look] = useState<string | null>(null);
  const bars = barsOf(runs, tickingServerNow());
  const seen = bars.find(({ run }) => run.task_id === at);
  return (
    <section class="job-part" aria-label="Last runs">
      <h2>{runs.length === 1 ? "The only run" : `Last ${runs.length} runs`}</h2>
      {runs.length > 0 ? <Strip bars={bars} apart={false} look={look} /> : <p class="hint">{waiting ? "None of its runs has begun yet." : "It has not run yet."}</p>}
      <p class="hint number earlier-text">{seen?.text}</p>
      {(waiting || runs.length > 0) && <Link to={list}>All runs of this job</Link>}
    </section>
  );
}
