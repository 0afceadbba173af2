import type { LostTask, RunningTask, Worker } from "../client/fleet";
import { tickingServerNow } from "../state/clock";
import { workerStanding } from "../state/fleet";
import { quantity } from "../state/format";
import { bytes } from "../state/outputs";
import { runAddress } from "../state/routes";
import { duration, elapsed, exact } from "../state/time";
import { Confirm } from "./confirm";
import { Link } from "./link";
import { StandingMark, TaskMark } from "./marks";
import { ProblemMessage } from "./problem-message";
import { Time } from "./time";
import { useCall } from "./use-call";

/** More slots are drawn as one bar. */
const MOST_DRAWN = 16;

interface Props {
  worker: Worker;
  /** Undefined where the user may not drain it. */
  drain: ((name: string, drained: boolean) => Promise<void>) | undefined;
}

/** One worker: whether it is there, what it runs, what was lost with it, and what it is. */
export function WorkerRow({ worker, drain }: Props) {
  const call = useCall();
  const { tone, shape, text } = workerStanding(worker, tickingServerNow());
  const more = worker.busy - worker.tasks.length;
  return (
    <li class={`fleet-row spine s-${tone}`} aria-label={worker.name}>
      <div class="fleet-head">
        <StandingMark tone={tone} shape={shape} />
        <strong class="fleet-name">{worker.name}</strong>
        {!worker.own && <span class="chip">{worker.reporter ?? "of a project"}</span>}
        <span class={`fleet-says number s-${tone}`}>{text}</span>
        {worker.alive && worker.slots !== null && <Slots busy={worker.busy} slots={worker.slots} />}
        {drain && (
          <Confirm
            name={worker.drained ? "Resume" : "Drain"}
            sure={worker.drained ? "Resume now" : "Drain now"}
            disabled={call.busy}
            run={() => call.run(() => drain(worker.name, !worker.drained))}
          />
        )}
      </div>
      {call.problem && <ProblemMessage problem={call.problem} />}
      {worker.busy > 0 && (
        <ul class="fleet-tasks" aria-label={worker.alive ? "Runs" : "Was running"}>
          {!worker.alive && <li class="hint">was running, lost unless it reports again:</li>}
          {worker.tasks.map((task) => (
            <Running key={task.task_id} task={task} goesOn={worker.alive} />
          ))}
          {more > 0 && <li class="hint">{quantity(more, "run")} {worker.tasks.length ? "more, or of others" : "of others"}</li>}
        </ul>
      )}
      {worker.lost.length > 0 && (
        <ul class="fleet-tasks" aria-label="Lost with it">
          {worker.lost.map((task) => (
            <Lost key={`${task.task_id} ${task.lost_at}`} task={task} />
          ))}
        </ul>
      )}
      <Details worker={worker} />
    </li>
  );
}

function Slots({ busy, slots }: { busy: number; slots: number }) {
  if (slots > MOST_DRAWN) return <progress class="fleet-slots" max={slots} value={busy} aria-hidden="true" />;
  return (
    <span class="fleet-slots" aria-hidden="true">
      {Array.from({ length: slots }, (_, n) => (
        <i key={n} class={n < busy ? "on" : undefined} />
      ))}
    </span>
  );
}

function Running({ task, goesOn }: { task: RunningTask; goesOn: boolean }) {
  const seconds = goesOn ? elapsed(task.started_at, null, tickingServerNow()) : null;
  return (
    <li>
      <Name task={task} />
      {seconds !== null && <span class="number hint">for {duration(seconds)}</span>}
    </li>
  );
}

const Lost = ({ task }: { task: LostTask }) => (
  <li>
    <TaskMark status={task.status} />
    <Name task={task} />
    <span class="number hint" title={exact(task.lost_at)}>
      lost at <Time at={task.lost_at} />
    </span>
  </li>
);

const Name = ({ task }: { task: LostTask | RunningTask }) => (
  <>
    <Link to={runAddress(task.task_id)}>
      <bdi>{task.title || task.job_type}</bdi>
    </Link>
    <span class="chip">{task.job_type}</span>
  </>
);

/** What the worker is: nobody needs it at a glance. */
function Details({ worker }: { worker: Worker }) {
  const { host, pid, pool, queues, memory_bytes, versions, since, alive } = worker;
  const facts = [
    memory_bytes !== null && bytes(memory_bytes),
    pool && `pool ${pool}`,
    host && (pid ? `${host}, process ${pid}` : host),
    ...Object.entries(versions).map(([name, version]) => `${name} ${version}`),
    queues.length > 0 && `takes from ${queues.join(", ")}`,
  ].filter(Boolean);
  return (
    <p class="hint number fleet-details">
      {alive && (
        <>
          since <Time at={since} />
          {facts.length > 0 && " · "}
        </>
      )}
      {facts.join(" · ")}
    </p>
  );
}
