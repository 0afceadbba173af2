import { useState } from "preact/hooks";
import { isTerminal, type Task, type TaskState } from "../client/types";
import { tickingServerNow } from "../state/clock";
import { phaseEtaOf, progressOf, shareOf } from "../state/estimate";
import { count, percentText, quantity } from "../state/format";
import { PHASE } from "../state/marks";
import { isOpen, phaseSpan, type PhaseRow } from "../state/phases";
import { duration } from "../state/time";
import { Chevron } from "./chevron";
import { PhaseMark } from "./marks";
import { ProgressBar } from "./progress-bar";

interface Props {
  state: TaskState;
  rows: readonly PhaseRow[];
  /** The phase by which the log is filtered. */
  chosen: string | null;
  choose: (phaseId: string | null) => void;
}

/** The phases, in the order in which they began. On a narrow page it is one line that opens. */
export function Phases({ state: { task }, rows, chosen, choose }: Props) {
  const [shown, show] = useState(false);
  const [toggled, toggle] = useState<ReadonlyMap<string, boolean>>(new Map());
  const begun = rows.filter(({ phase }) => phase).length;
  const at = rows.findIndex(({ phase_id }) => phase_id !== "" && phase_id === task.current_phase) + 1;
  const percent = percentText(progressOf(task));
  return (
    <section class={shown ? "phases shown" : "phases"} aria-label="Phases">
      <h2>Phases</h2>
      <button type="button" class="brief" aria-expanded={shown} onClick={() => show(!shown)}>
        <span>
          {rows.length === 0 ? "No phases" : `${at || begun} of ${rows.filter(({ between }) => !between).length}`}
          {task.current_phase && ` · ${task.current_phase}`}
          {percent !== "" && ` · ${percent}`}
        </span>
        <Chevron open={shown} />
      </button>
      {rows.length === 0 && <p class="hint">{isTerminal(task.status) ? "This run has no phases." : "None has begun."}</p>}
      <ol>
        {rows.map((row) => (
          <PhaseItem
            key={row.phase_id}
            row={row}
            task={task}
            open={isOpen(row.state, toggled.get(row.phase_id))}
            toggle={(open) => toggle(new Map(toggled).set(row.phase_id, open))}
            chosen={row.phase_id === chosen}
            choose={choose}
          />
        ))}
      </ol>
    </section>
  );
}

interface ItemProps {
  row: PhaseRow;
  task: Task;
  open: boolean;
  toggle: (open: boolean) => void;
  chosen: boolean;
  choose: (phaseId: string | null) => void;
}

function PhaseItem({ row, task, open, toggle, chosen, choose }: ItemProps) {
  const { phase_id, phase, state, between } = row;
  if (!phase) {
    return (
      <li class={between ? "between" : "ahead"}>
        <div class="phase-name">
          <PhaseMark state={state} />
          <span class="name">{between ?? phase_id}</span>
        </div>
      </li>
    );
  }
  const span = phaseSpan(row, task, tickingServerNow());
  const took = phase.duration_seconds ?? (span && (span[1] - span[0]) / 1_000);
  return (
    <li data-phase={phase_id}>
      <div class="phase-name">
        <PhaseMark state={state} />
        <button
          type="button"
          class="name"
          aria-pressed={chosen}
          title={chosen ? "Show the whole log" : "Show this phase's log only"}
          onClick={() => choose(chosen ? null : phase_id)}
        >
          {phase_id}
        </button>
        {!open && phase.error_count > 0 && <Errors of={phase.error_count} />}
        <span class="number took">{took !== null && duration(took)}</span>
        <button
          type="button"
          class="toggle"
          aria-label={`Details of ${phase_id}`}
          aria-expanded={open}
          onClick={() => toggle(!open)}
        >
          <Chevron open={open} />
        </button>
      </div>
      {open && <Details row={row} />}
    </li>
  );
}

function Details({ row: { phase, phase_id, state } }: { row: PhaseRow }) {
  if (!phase) return null;
  const eta = state === "running" ? phaseEtaOf(phase, tickingServerNow()) : null;
  const counted = phase.total_count !== null || phase.processed_count > 0;
  return (
    <div class="phase-details">
      <ProgressBar value={state === "done" ? 100 : shareOf(phase)} tone={PHASE[state][0]} label={phase_id} />
      <div class="phase-figures number">
        <span>
          {counted && count(phase.processed_count)}
          {phase.total_count !== null && ` / ${count(phase.total_count)}`}
        </span>
        {phase.error_count > 0 && <Errors of={phase.error_count} />}
        {eta !== null && <span>phase ETA {duration(eta)}</span>}
      </div>
      {phase.message && (
        <p class="phase-message" title={phase.message}>
          {phase.message}
        </p>
      )}
    </div>
  );
}

const Errors = ({ of }: { of: number }) => <span class="number s-fail">{quantity(of, "error")}</span>;
