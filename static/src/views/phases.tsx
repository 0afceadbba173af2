import { useState } from "preact/hooks";
import { serverNow } from "../client/http";
import { isTerminal, type Phase, type Task, type TaskState } from "../client/types";
import { now } from "../state/app";
import { count, duration, elapsed, percent } from "./format";
import { Bar, PhaseMark } from "./marks";

/** The phases in the order in which they began. On a narrow page one line that opens downward. */
export function Phases({ state }: { state: TaskState }) {
  const [open, setOpen] = useState(false);
  const { task, phases } = state;
  const at = phases.findIndex((phase) => phase.phase_id === task.current_phase) + 1;
  const halted = isTerminal(task.status);
  return (
    <section class={open ? "phases open" : "phases"} aria-label="Phases">
      <h2>Phases</h2>
      <button type="button" class="brief" aria-expanded={open} onClick={() => setOpen(!open)}>
        <span>
          {at || phases.length} of {phases.length}
          {task.current_phase && ` · ${task.current_phase}`}
          {` · ${percent(task.progress)} %`}
        </span>
        <i aria-hidden="true">{open ? "▴" : "▾"}</i>
      </button>
      {phases.length === 0 && <p class="hint">None has begun.</p>}
      <ol>
        {phases.map((phase) => (
          <li key={phase.phase_id}>
            <PhaseLine phase={phase} task={task} halted={halted} />
          </li>
        ))}
      </ol>
    </section>
  );
}

function PhaseLine({ phase, task, halted }: { phase: Phase; task: Task; halted: boolean }) {
  const over = phase.status === "completed" || phase.status === "error";
  const open = over ? null : elapsed(phase.started_at, halted ? task.finished_at : null, (now.value, serverNow()));
  const took = phase.duration_seconds ?? open;
  const share = phase.total_count ? percent((100 * phase.processed_count) / phase.total_count) : null;
  const value = phase.status === "completed" ? 100 : (share ?? 0);
  const state = phase.status === "completed" ? "ok" : phase.status === "error" ? "fail" : halted ? "off" : "run";
  const counted = phase.total_count !== null || phase.processed_count > 0;
  return (
    <>
      <div class="phase-name">
        <PhaseMark status={phase.status} halted={halted} />
        <span class="name">{phase.phase_id}</span>
        <span class="number">{took === null ? "" : duration(took)}</span>
      </div>
      <Bar value={value} state={state} label={phase.phase_id} />
      <div class="phase-figures number">
        <span>
          {counted && count(phase.processed_count)}
          {phase.total_count !== null && ` / ${count(phase.total_count)}`}
        </span>
        {phase.error_count > 0 && (
          <span class="s-fail">
            {count(phase.error_count)} {phase.error_count === 1 ? "error" : "errors"}
          </span>
        )}
        {!over && !halted && phase.eta_seconds !== null && <span>ETA {duration(phase.eta_seconds)}</span>}
      </div>
      {phase.message && <p class="phase-says">{phase.message}</p>}
    </>
  );
}
