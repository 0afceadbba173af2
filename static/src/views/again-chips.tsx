import { isTerminal, type Task } from "../client/types";
import { api } from "../state/app";
import { quantity, shortId } from "../state/format";
import { runAddress } from "../state/routes";
import "../style/again.css";
import { Link } from "./link";
import { TaskMark } from "./marks";
import { More } from "./more";
import { useLoaded } from "./use-loaded";

/** Which run this one was started again from, and those that were started again from it. */
export function AgainChips({ task }: { task: Task }) {
  const over = isTerminal(task.status);
  const later = useLoaded(over ? () => api.again(task.task_id) : null, [task.task_id, over]) ?? [];
  const of = task.again_of ?? task.retry_of;
  const [last] = later;
  return (
    <>
      {of && (
        <span class="again">
          again of <Link to={runAddress(of)}>{shortId(of)}</Link>
          {task.again_of && " with changes"}
        </span>
      )}
      {last && later.length === 1 && (
        <span class="again">
          run again as <Link to={runAddress(last.task_id)}>{shortId(last.task_id)}</Link>
        </span>
      )}
      {later.length > 1 && (
        <More label={`Run again ${quantity(later.length, "time")}`} face={`run again ${quantity(later.length, "time")}`} quiet>
          {later.map(({ task_id, status, again_of }) => (
            <Link key={task_id} to={runAddress(task_id)}>
              <TaskMark status={status} /> {shortId(task_id)}
              {again_of && " with changes"}
            </Link>
          ))}
        </More>
      )}
    </>
  );
}
