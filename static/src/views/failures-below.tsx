import type { Below } from "../client/observed";
import { stepAddress } from "../state/chosen-step";
import { count, shortId } from "../state/format";
import { Link } from "./link";
import { TaskMark } from "./marks";

/** The newest failures below a run: its own status may be that it succeeded. */
export function FailuresBelow({ runId, below }: { runId: string; below: Below | null }) {
  if (!below?.failed) return null;
  const more = below.failed - below.failures.length;
  return (
    <ul class="failures-below" aria-label="Failed below">
      {below.failures.map((failure) => (
        <li key={failure.task_id}>
          <TaskMark status="FAILURE" />
          <Link to={stepAddress(runId, failure.task_id)}>{failure.title || `${failure.job_type} ${shortId(failure.task_id)}`}</Link>
          <span class="s-fail">{failure.message}</span>
        </li>
      ))}
      {more > 0 && (
        <li>
          <a href="#children">{count(more)} more</a>
        </li>
      )}
    </ul>
  );
}
