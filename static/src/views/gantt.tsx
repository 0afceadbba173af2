import { useState } from "preact/hooks";
import type { Gantt as Chart, GanttRow } from "../state/gantt";
import { clock, duration } from "../state/format";
import { Link } from "./parts";

/** Percent from which on a mark's label would reach out of the page. */
const LAST = 90;

const iso = (at: number): string => new Date(at).toISOString();

const exact = ({ from, to }: { from: number; to: number }): string =>
  `${clock(iso(from))} – ${clock(iso(to))} · ${duration((to - from) / 1_000)}`;

interface Props {
  chart: Chart;
  choose: (phaseId: string) => void;
}

/** When each phase ran, as bars over time; a row in focus or under the pointer tells its times. */
export function Gantt({ chart, choose }: Props) {
  const [told, tell] = useState<string | null>(null);
  const row = chart.rows.find(({ key }) => key === told);
  return (
    <div class="gantt">
      <ol onMouseLeave={() => tell(null)}>
        {chart.rows.map((row) => (
          <li key={row.key} onMouseEnter={() => tell(row.key)} onFocusCapture={() => tell(row.key)}>
            {row.taskId ? (
              <Link to={`/runs/${encodeURIComponent(row.taskId)}`} class="gantt-row">
                <Line row={row} ticks={chart.ticks} />
              </Link>
            ) : (
              <button type="button" class="gantt-row" onClick={() => choose(row.key)}>
                <Line row={row} ticks={chart.ticks} />
              </button>
            )}
          </li>
        ))}
      </ol>
      <div class="gantt-axis number" aria-hidden="true">
        {chart.ticks.map(({ at, label }) => (
          <span key={label} class={at > LAST ? "last" : undefined} style={{ left: `${at}%` }}>
            {label}
          </span>
        ))}
      </div>
      <p class="gantt-says number">{exact(row ?? chart)}</p>
    </div>
  );
}

function Line({ row, ticks }: { row: GanttRow; ticks: Chart["ticks"] }) {
  return (
    <>
      <span class="gantt-name">{row.name}</span>
      <span class="hidden-text">
        {row.word}, {exact(row)}
      </span>
      <span class="gantt-track" aria-hidden="true">
        {ticks.map(({ at }) => (
          <i key={at} style={{ left: `${at}%` }} />
        ))}
        <b class={`s-${row.state}`} style={{ left: `${row.left}%`, width: `${row.width}%` }} />
      </span>
    </>
  );
}
