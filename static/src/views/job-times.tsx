import { useState } from "preact/hooks";
import type { JobStats } from "../client/jobStats";
import { count } from "../state/format";
import { columnsOf, endsText, linesOf, namesOf, type Column } from "../state/job-stats";

/** How many runs ended in each hour or day, the failed ones above the others. */
export function JobTimes({ stats }: { stats: JobStats }) {
  const [seen, look] = useState<string | null>(null);
  const columns = columnsOf(stats);
  const lines = linesOf(Math.max(...columns.map(({ ok, fail, off }) => ok + fail + off)));
  const highest = lines.at(-1) ?? 1;
  const all = endsText(stats.counts);
  return (
    <section class="job-part" aria-label="Runs over time">
      <h2>Runs by {stats.unit}</h2>
      <div class="job-axis" aria-hidden="true">
        {lines.map((value) => (
          <span key={value} class="number" style={{ bottom: `${(100 * value) / highest}%` }}>
            {count(value)}
          </span>
        ))}
      </div>
      <div class="job-times" role="img" aria-label={`${all}, by ${stats.unit}`} onMouseLeave={() => look(null)}>
        {columns.map((column) => (
          <div key={column.at} class="job-column" onMouseEnter={() => look(column.text)}>
            <Parts column={column} highest={highest} />
          </div>
        ))}
      </div>
      <div class="job-names" aria-hidden="true">
        {namesOf(columns, stats.unit).map(({ at, name }) => (
          <span key={at} style={{ left: `${100 * at}%` }}>
            {name}
          </span>
        ))}
      </div>
      <p class="hint number">{seen ?? all}</p>
    </section>
  );
}

function Parts({ column, highest }: { column: Column; highest: number }) {
  const parts = [
    ["fail", column.fail],
    ["off", column.off],
    ["ok", column.ok],
  ] as const;
  return <>{parts.map(([tone, number]) => (number ? <i key={tone} class={`s-${tone}`} style={{ height: `${(100 * number) / highest}%` }} /> : null))}</>;
}
