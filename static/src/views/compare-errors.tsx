import type { Task } from "../client/types";
import { failureOf } from "../state/failure";

/** Why the runs failed, side by side; nothing when neither did. */
export function CompareErrors({ before, after }: { before: Task; after: Task }) {
  if (!before.error && !after.error) return null;
  return (
    <section class="compare-part" aria-label="Errors">
      <h2>Errors</h2>
      <div class="compare-sides">
        <Reason task={before} />
        <Reason task={after} />
      </div>
    </section>
  );
}

function Reason({ task }: { task: Task }) {
  const { error } = task;
  if (!error) return <p class="compare-none">no error</p>;
  return (
    <div class="compare-error">
      <p>{failureOf(task)?.sentence ?? error.message}</p>
      <p class="compare-facts">
        <code>{error.type}</code>
        {error.phase && <span>in the phase {error.phase}</span>}
      </p>
    </div>
  );
}
