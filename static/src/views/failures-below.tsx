import type { Below } from "../client/observed";
import { stepAddress } from "../state/chosen-step";
import { count, shortId } from "../state/format";
import { Link } from "./link";
import { TaskMark } from "./marks";

interface Props {
  /** Null where a page may not open others. */
  runId: string | null;
  below: Below | null;
}

/** The newest failures below a run: its own status may be that it succeeded. */
export function FailuresBelow({ runId, below }: Props) {
  if (!below?.failed) return null;
  const more = below.failed - below.failures.length;
  const name = ({ task_id, job_type, title }: Below["failures"][number]): string => title || `${job_type} ${shortId(task_id)}`;
  return (
    <ul class="failures-below" aria-label="Failed below">
      {below.failures.map((failure) => (
        <li key={failure.task_id}>
          <TaskMark status="FAILURE" />
          {runId ? <Link to={stepAddress(runId, failure.task_id)}>{name(failure)}</Link> : <b>{name(failure)}</b>}
          <span class="s-fail">{failure.message}</span>
        </li>
      ))}
      {more > 0 && (
        <li>
          {runId ? <a href="#children">{count(more)} more</a> : `${count(more)} more`}
        </li>
      )}
    </ul>
  );
}
