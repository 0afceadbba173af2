import type { Entry } from "../state/list-entries";
import { count } from "../state/format";
import { runAddress } from "../state/routes";
import { folds } from "../state/filter";
import type { Runs } from "../state/runs";
import "../style/list-entry.css";
import { Chevron } from "./chevron";
import { Link } from "./link";
import { Pick } from "./pick";
import { ProblemMessage } from "./problem-message";
import { RunRow } from "./run-row";

/** What the columns of the list are; each row is a link that says all by itself. */
export const ListHeads = () => (
  <div class="list-heads" aria-hidden="true">
    <div class="list-head">
      <span />
      <span>Run and its job</span>
      <span class="row-who">Who</span>
      <span>State</span>
      <span>Progress</span>
      <span />
      <span class="took">Duration</span>
      <span class="when">Started</span>
    </div>
  </div>
);

/** One line of the list. */
export function EntryLine({ entry, runs }: { entry: Entry; runs: Runs }) {
  if (entry.kind === "day") return <h2 class="day">{entry.name}</h2>;
  if (entry.kind === "note") return <Note parent={entry.parent} level={entry.level} runs={runs} />;
  const row = runs.row(entry.id);
  const open = runs.steps.open.value.has(entry.id);
  const below = row.value.task.tasks_below ?? 0;
  return (
    <div class="row-line" style={entry.level ? { "--level": String(entry.level) } : undefined}>
      {below > 0 && folds(runs.filter) && (
        <button type="button" class="fold" aria-expanded={open} aria-label={`Steps of ${row.value.task.title}`} onClick={() => runs.steps.unfold(entry.id, !open)}>
          <Chevron open={open} />
        </button>
      )}
      <RunRow row={row} />
      <Pick id={entry.id} name={row.value.task.title} order={() => runs.order.value ?? []} />
    </div>
  );
}

function Note({ parent, level, runs }: { parent: string; level: number; runs: Runs }) {
  const steps = runs.steps.open.value.get(parent);
  return (
    <div class="row-line steps-note hint" style={{ "--level": String(level) }}>
      {steps?.problem ? (
        <ProblemMessage problem={steps.problem}>
          {" "}
          <button type="button" class="plain" onClick={() => void runs.steps.load(parent)}>
            Load the steps again
          </button>
        </ProblemMessage>
      ) : steps?.more ? (
        <p>
          The newest {count(steps.ids.length)}. <Link to={runAddress(parent)}>The page of the run</Link> has all.
        </p>
      ) : (
        <p class="late">Loading the steps.</p>
      )}
    </div>
  );
}
