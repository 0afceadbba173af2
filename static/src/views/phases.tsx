import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { isTerminal, type Phase, type TaskState } from "../client/types";
import { tickingServerNow } from "../state/clock";
import { phaseEtaOf } from "../state/estimate";
import { count, quantity } from "../state/format";
import { PHASE } from "../state/marks";
import { shareAt, type Axis } from "../state/phase-axis";
import { isOpen, phaseSpan, type PhaseRow } from "../state/phases";
import { clock, duration } from "../state/time";
import { Chevron } from "./chevron";
import { PhaseMark } from "./marks";

interface Props {
  state: TaskState;
  rows: readonly PhaseRow[];
  axis: Axis | null;
  /** The names of phases that are called otherwise than by their ids. */
  names: ReadonlyMap<string, string>;
  /** The phase by which the log is filtered. */
  chosen: string | null;
  choose: (phaseId: string | null) => void;
  /** What is drawn below, on the same axis. */
  children?: ComponentChildren;
}

/** The phases as a table: when each ran on the axis of the run, and how long. On a narrow page it is a line that opens. */
export function Phases({ state, rows, axis, names, chosen, choose, children }: Props) {
  const { task } = state;
  const [shown, show] = useState(false);
  const list = useRef<HTMLOListElement>(null);
  const begun = rows.filter(({ phase }) => phase).length;
  const at = rows.findIndex(({ phase_id }) => phase_id !== "" && phase_id === task.current_phase) + 1;
  const phases = rows.filter(({ between }) => !between).length;
  useEffect(() => {
    // Of many phases the one that runs stays in view; the page itself does not scroll.
    list.current?.querySelector(".running")?.scrollIntoView({ block: "nearest" });
  }, [task.current_phase, shown]);
  return (
    <section class={shown ? "phases shown" : "phases"} aria-label="Phases">
      <h2>
        Phases{phases > 0 && <span class="number"> {`${at || begun} of ${phases}`}</span>}
      </h2>
      <button type="button" class="brief" aria-expanded={shown} onClick={() => show(!shown)}>
        <span>
          {phases === 0 ? "No phases" : `${at || begun} of ${phases}`}
          {task.current_phase && ` · ${names.get(task.current_phase) ?? task.current_phase}`}
        </span>
        <Chevron open={shown} />
      </button>
      {rows.length === 0 && <p class="hint">{isTerminal(task.status) ? "This run has no phases." : "None has begun."}</p>}
      <ol ref={list}>
        {rows.map((row) => (
          <Item
            key={row.phase_id}
            row={row}
            name={row.between ?? names.get(row.phase_id) ?? row.phase_id}
            run={state}
            axis={axis}
            chosen={row.phase_id === chosen}
            choose={choose}
          />
        ))}
      </ol>
      {children}
    </section>
  );
}

interface ItemProps {
  row: PhaseRow;
  name: string;
  run: TaskState;
  axis: Axis | null;
  chosen: boolean;
  choose: (phaseId: string | null) => void;
}

function Item({ row, name, run, axis, chosen, choose }: ItemProps) {
  const { phase_id, phase, state, between } = row;
  if (!phase) {
    return (
      <li class={between ? "between" : "ahead"}>
        <div class="phase-name">
          <PhaseMark state={state} />
          <bdi class="name" title={name}>
            {name}
          </bdi>
        </div>
      </li>
    );
  }
  const span = phaseSpan(row, run.task, tickingServerNow());
  const took = phase.duration_seconds ?? (span && (span[1] - span[0]) / 1_000);
  const open = isOpen(state, chosen || undefined);
  return (
    <li data-phase={phase_id} class={state === "running" ? "running" : undefined}>
      <div class="phase-name">
        <PhaseMark state={state} />
        <button
          type="button"
          class="name"
          aria-pressed={chosen}
          title={`${name}\n${chosen ? "Show the whole log" : "Show this phase's log only"}`}
          onClick={() => choose(chosen ? null : phase_id)}
        >
          <bdi>{name}</bdi>
        </button>
        {!open && phase.error_count > 0 && <Errors of={phase.error_count} />}
        <span class="number took">{took !== null && duration(took)}</span>
      </div>
      {axis && span && <Track axis={axis} span={span} state={state} />}
      {open && <Details phase={phase} run={state === "running" ? run : null} />}
    </li>
  );
}

function Track({ axis, span: [from, to], state }: { axis: Axis; span: [number, number]; state: PhaseRow["state"] }) {
  const left = shareAt(axis, from);
  const pattern = state === "waiting" ? "hatched" : "";
  return (
    <div class="track" title={`${clock(from)} – ${clock(to)}`}>
      <b class={`s-${PHASE[state][0]} ${state} ${pattern}`} style={{ left: `min(${left}%, 100% - 3px)`, width: `${shareAt(axis, to) - left}%` }} />
    </div>
  );
}

/** `run`: of a phase that runs. */
function Details({ phase, run }: { phase: Phase; run: TaskState | null }) {
  const eta = run && phaseEtaOf(phase, run, tickingServerNow());
  const counted = phase.total_count !== null || phase.processed_count > 0;
  return (
    <>
      {(counted || phase.error_count > 0 || eta !== null) && (
        <div class="phase-figures number">
          {counted && (
            <span>
              {count(phase.processed_count)}
              {phase.total_count !== null && ` / ${count(phase.total_count)}`}
            </span>
          )}
          {phase.error_count > 0 && <Errors of={phase.error_count} />}
          {eta !== null && <span>phase ETA {duration(eta)}</span>}
        </div>
      )}
      {phase.message && (
        <p class="phase-message" title={phase.message}>
          <bdi>{phase.message}</bdi>
        </p>
      )}
    </>
  );
}

const Errors = ({ of }: { of: number }) => <span class="number s-wait">{quantity(of, "error")}</span>;
