import { useMemo } from "preact/hooks";
import { FleetApi } from "../client/fleet";
import type { Task } from "../client/types";
import { session } from "../state/app";
import { tickingServerNow } from "../state/clock";
import { queuedWords } from "../state/queued";
import { WORKERS_ADDRESS } from "../state/routes";
import { Link } from "./link";
import { useAnswer } from "./use-loaded";

/** No event tells of the place in a queue. */
const REFRESH_MS = 5_000;

/** Why a run waits for a worker, with the way to the page of all of them. */
export function QueuedFact({ task }: { task: Task }) {
  const api = useMemo(() => new FleetApi(session), []);
  const waits = task.status === "PENDING" || task.status === "RETRY";
  const queued = useAnswer(waits ? () => api.queued(task.task_id) : null, [task.task_id, task.status], REFRESH_MS).value;
  if (!waits || !queued) return null;
  return (
    <Link to={WORKERS_ADDRESS} class="number queued-why">
      {queuedWords(queued, tickingServerNow())}
    </Link>
  );
}
