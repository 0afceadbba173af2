import { computed } from "@preact/signals";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { serverNow } from "../client/serverClock";
import { api } from "../state/app";
import type { StatusTally } from "../state/counts";
import { taskFilterOf, type RunFilter } from "../state/filter";
import { choiceOf, columnsOf, keyMeaning, leftOutText, TONES, type HistogramColumn } from "../state/histogram";
import { count } from "../state/format";
import { shownOf, timeText } from "../state/list-times";
import { narrow } from "../state/screen";
import "../style/histogram.css";
import { useAnswer } from "./use-loaded";

const REFRESH_MS = 15_000;
const MOST_COLUMNS = { wide: 180, narrow: 60 };

interface Props {
  filter: RunFilter;
  choose: (changes: Pick<RunFilter, "from" | "to">) => void;
}

/** When the runs of the list were made, and how they are: columns that can be chosen, by a pointer or by keys. They are loaded again soon
 * after the counts have changed, so that both say the same. */
export function RunHistogram({ filter, choose, tally }: Props & { tally: StatusTally }) {
  const { scope, who, job_type, top } = taskFilterOf({ ...filter, q: "" });
  const key = JSON.stringify([scope, who, job_type, top, filter.time, filter.from, filter.to]);
  const load = async () => {
    const shown = shownOf(filter, serverNow());
    const bounds = { from: timeText(shown.from), to: timeText(shown.to) };
    return { shown, ...(await api.histogram({ scope, who, job_type, top, ...bounds })) };
  };
  const counted = useMemo(() => computed(() => tally.value.value && JSON.stringify(tally.value.value)), [tally]);
  const answer = useAnswer(load, [key], REFRESH_MS, counted).value;
  const most = narrow.value ? MOST_COLUMNS.narrow : MOST_COLUMNS.wide;
  const columns = useMemo(
    () => columnsOf(answer?.times ?? [], answer?.shown ?? shownOf(filter, serverNow()), most, filter.status),
    [answer, filter.status, most],
  );
  return <Columns columns={columns} filter={filter} choose={choose} known={answer !== null} />;
}

function Columns({ columns, filter, choose, known }: Props & { columns: HistogramColumn[]; known: boolean }) {
  const [active, setActive] = useState(-1);
  const [anchor, setAnchor] = useState<number | null>(null);
  const [seen, look] = useState(-1);
  const box = useRef<HTMLDivElement>(null);
  const highest = Math.max(1, ...columns.map(({ total }) => total));
  const last = columns.length - 1;
  const at = active < 0 ? last : Math.min(active, last);
  const { from, to } = filter;
  const chosen = (column: HistogramColumn): boolean =>
    Boolean(from || to) && (!from || column.until > Date.parse(from)) && (!to || column.at < Date.parse(to));
  const marked = (index: number): boolean => anchor !== null && index >= Math.min(anchor, at) && index <= Math.max(anchor, at);
  const take = (one: number, other: number): void => choose(choiceOf(columns, one, other));
  const under = (event: PointerEvent): number => {
    const { left, width } = (box.current as HTMLElement).getBoundingClientRect();
    return Math.min(last, Math.max(0, Math.floor(((event.clientX - left) / width) * columns.length)));
  };
  const press = (event: KeyboardEvent): void => {
    const meaning = keyMeaning(event.key, event.shiftKey, at, last);
    if (!meaning || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    if (meaning === "choose") take(anchor ?? at, at);
    else if (meaning === "clear") choose({ from: "", to: "" });
    else {
      setAnchor(meaning.grows ? (anchor ?? at) : null);
      setActive(meaning.at);
      look(meaning.at);
      return;
    }
    setAnchor(null);
  };
  // A choice that was made elsewhere ends one that is being made here.
  useEffect(() => setAnchor(null), [from, to]);
  const said = columns[seen] ?? null;
  const leftOut = leftOutText(filter);
  return (
    <div class={leftOut ? "histogram of-all" : "histogram"}>
      <div
        ref={box}
        class={known ? "histogram-columns" : "histogram-columns late"}
        role="listbox"
        aria-multiselectable="true"
        aria-orientation="horizontal"
        aria-label="When the runs were made"
        aria-activedescendant={last >= 0 ? `column-${at}` : undefined}
        tabIndex={0}
        onKeyDown={press}
        onPointerDown={(event) => {
          if (event.button !== 0) return;
          box.current?.setPointerCapture(event.pointerId);
          setActive(under(event));
          setAnchor(under(event));
        }}
        onPointerMove={(event) => {
          look(under(event));
          if (box.current?.hasPointerCapture(event.pointerId)) setActive(under(event));
        }}
        onPointerUp={(event) => {
          if (anchor !== null) take(anchor, under(event));
          setAnchor(null);
        }}
        onPointerCancel={() => setAnchor(null)}
        onPointerLeave={() => look(-1)}
        onBlur={() => look(-1)}
      >
        {columns.map((column, index) => (
          <div
            key={column.at}
            id={`column-${index}`}
            role="option"
            aria-label={`${column.name}: ${column.text}`}
            aria-selected={chosen(column) || marked(index)}
            class={index === seen ? "histogram-column seen" : "histogram-column"}
          >
            {TONES.map((tone) =>
              column.tones[tone] ? <i key={tone} class={`s-${tone}`} style={{ height: `${(100 * column.tones[tone]) / highest}%` }} /> : null,
            )}
          </div>
        ))}
      </div>
      <div class="histogram-words hint">
        <span class="number">{said ? `${said.name}: ${said.text}` : edgesText(columns)}</span>
        {leftOut && <span class="histogram-left-out">{leftOut}</span>}
        <HistogramTable columns={columns} take={(index) => take(index, index)} />
      </div>
    </div>
  );
}

const edgesText = (columns: readonly HistogramColumn[]): string => {
  const [first, last] = [columns[0], columns.at(-1)];
  return first && last ? `${first.name.split("–")[0]?.trim()} – now` : "";
};

/** The same as a table, for those who do not see the columns. */
function HistogramTable({ columns, take }: { columns: readonly HistogramColumn[]; take: (index: number) => void }) {
  const [open, setOpen] = useState(false);
  return (
    <details class="histogram-table" open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Table</summary>
      {open && (
        <table>
          <thead>
            <tr>
              <th>Made</th>
              <th>Runs</th>
              <th>What became of them</th>
            </tr>
          </thead>
          <tbody>
            {columns.map((column, index) =>
              column.total ? (
                <tr key={column.at}>
                  <td>
                    <button type="button" class="plain" onClick={() => take(index)}>
                      {column.name}
                    </button>
                  </td>
                  <td class="number">{count(column.total)}</td>
                  <td>{column.parts}</td>
                </tr>
              ) : null,
            )}
          </tbody>
        </table>
      )}
    </details>
  );
}
