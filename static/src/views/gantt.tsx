import { useState } from "preact/hooks";
import type { Gantt as Chart, GanttRow } from "../state/gantt";
import { runAddress } from "../state/routes";
import { clock, duration } from "../state/time";
import { Link } from "./link";

/** Percent from which on the label of a tick would be outside the page. */
const LAST = 90;

const timesOf = ({ from, to }: { from: number; to: number }): string =>
  `${clock(from)} – ${clock(to)} · ${duration((to - from) / 1_000)}`;

interface Props {
  chart: Chart;
  choose: (phaseId: string) => void;
}

/** When each phase ran, as bars over time, with the times of the row in focus or under the pointer. */
export function Gantt({ chart, choose }: Props) {
  const [hovered, hover] = useState<string | null>(null);
  const row = chart.rows.find(({ key }) => key === hovered);
  return (
    <div class="gantt">
      <ol onMouseLeave={() => hover(null)}>
        {chart.rows.map((row) => (
          <li key={row.key} onMouseEnter={() => hover(row.key)} onFocusCapture={() => hover(row.key)}>
            {row.taskId ? (
              <Link to={runAddress(row.taskId)} class="gantt-row">
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
      <p class="gantt-times number">{timesOf(row ?? chart)}</p>
    </div>
  );
}

function Line({ row, ticks }: { row: GanttRow; ticks: Chart["ticks"] }) {
  return (
    <>
      <span class="gantt-name">{row.name}</span>
      <span class="hidden-text">
        {row.word}, {timesOf(row)}
      </span>
      <span class="gantt-track" aria-hidden="true">
        {ticks.map(({ at }) => (
          <i key={at} style={{ left: `${at}%` }} />
        ))}
        <b class={`s-${row.tone}`} style={{ left: `${row.left}%`, width: `${row.width}%` }} />
      </span>
    </>
  );
}
