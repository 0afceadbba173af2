import { useEffect, useMemo, useState } from "preact/hooks";
import type { ApiKey } from "../client/apiKeys";
import { FleetApi } from "../client/fleet";
import type { User } from "../client/types";
import { seesTenantKeys } from "../state/api-keys";
import { api as calls, mayAct, session } from "../state/app";
import { stoppedAt, tickingServerNow } from "../state/clock";
import { byUrgency, figuresOf, loadFleet, mayOperate, queueStanding, scheduleStanding, workerStanding, type Fleet } from "../state/fleet";
import { keyOf, QueueDepths } from "../state/queue-depths";
import { KEYS_ADDRESS, WAYS_IN_HASH } from "../state/routes";
import "../style/fleet.css";
import { Link } from "./link";
import { ProblemMessage } from "./problem-message";
import { QueueRow } from "./queue-row";
import { ScheduleRow } from "./schedule-row";
import { Shell } from "./shell";
import { Time } from "./time";
import { useAnswer } from "./use-loaded";
import { WorkerRow } from "./worker-row";

/** As often as workers of ours report. */
const REFRESH_MS = 5_000;

/** What works and what waits: workers, queues, and who holds them. */
export function FleetPage({ user }: { user: User }) {
  const api = useMemo(() => new FleetApi(session), []);
  const scope = seesTenantKeys(user) ? "tenant" : "own";
  const depths = useMemo(() => new QueueDepths(), []);
  const [changes, setChanges] = useState(0);
  const load = async (): Promise<Fleet> => {
    const fleet = await loadFleet(api, () => calls.keys(scope));
    depths.add(fleet.queues, Date.now());
    return fleet;
  };
  const { value, problem } = useAnswer(load, [changes], REFRESH_MS);
  useEffect(() => void (document.title = "Workers · Taskroom"), []);
  const change = async (call: Promise<void>): Promise<void> => {
    await call;
    setChanges((count) => count + 1);
  };
  const hold = mayOperate(user)
    ? {
        pause: (name: string, paused: boolean) => change(api.pause(name, paused)),
        drain: (name: string, drained: boolean) => change(api.drain(name, drained)),
      }
    : null;
  return (
    <Shell>
      <main class={stoppedAt.value !== null || problem ? "page fleet stale" : "page fleet"} aria-busy={!value}>
        <h1>Workers</h1>
        {problem && <ProblemMessage problem={problem}> {problem.isRefusal ? "" : "Trying again."}</ProblemMessage>}
        {value ? <Content fleet={value} depths={depths} hold={hold} /> : !problem && <p class="late">Loading.</p>}
      </main>
    </Shell>
  );
}

/** What the user may do to the queues and workers of Taskroom. */
interface Holding {
  pause: (queue: string, paused: boolean) => Promise<void>;
  drain: (worker: string, drained: boolean) => Promise<void>;
}

function Content({ fleet, depths, hold }: { fleet: Fleet; depths: QueueDepths; hold: Holding | null }) {
  const now = tickingServerNow();
  const workers = byUrgency(fleet.workers, (worker) => workerStanding(worker, now));
  const queues = byUrgency(fleet.queues, (queue) => queueStanding(queue, now));
  const schedules = byUrgency(fleet.schedules, (schedule) => scheduleStanding(schedule, now));
  return (
    <>
      <dl class="fleet-figures">
        {figuresOf(fleet).map(({ name, value, more, tone }) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              <b class="number">{value}</b>
              <small class={tone ? `number s-${tone}` : "number"}>{more}</small>
            </dd>
          </div>
        ))}
      </dl>
      <section aria-labelledby="fleet-workers">
        <h2 id="fleet-workers">Workers</h2>
        {workers.length === 0 && <p class="empty">No worker runs here.</p>}
        <ul class="fleet-rows">
          {workers.map((worker) => (
            <WorkerRow key={keyOf(worker)} worker={worker} drain={worker.own ? hold?.drain : undefined} />
          ))}
        </ul>
      </section>
      {workers.every(({ own }) => own) && <Invitation />}
      <section aria-labelledby="fleet-queues">
        <h2 id="fleet-queues">Queues</h2>
        {queues.length === 0 && <p class="empty">No queue is reported yet.</p>}
        <ul class="fleet-rows">
          {queues.map((queue) => (
            <QueueRow key={keyOf(queue)} queue={queue} trend={depths.of(queue)} pause={queue.own ? hold?.pause : undefined} />
          ))}
        </ul>
      </section>
      <section aria-labelledby="fleet-schedules">
        <h2 id="fleet-schedules">Schedules</h2>
        {schedules.length === 0 && <p class="empty">No beat reports here. That of an instrumented Celery project does by itself.</p>}
        <ul class="fleet-rows">
          {schedules.map((schedule) => (
            <ScheduleRow key={keyOf(schedule)} schedule={schedule} />
          ))}
        </ul>
      </section>
      <section aria-labelledby="fleet-reporters">
        <h2 id="fleet-reporters">Programs that report</h2>
        {fleet.reporters.length === 0 && <p class="empty">No program has used a key to report.</p>}
        <ul class="fleet-rows">
          {fleet.reporters.map((key) => (
            <ReporterRow key={key.id} reporter={key} />
          ))}
        </ul>
      </section>
    </>
  );
}

/** A key by which programs report: whose it is, and when it was used last. */
const ReporterRow = ({ reporter: { name, prefix, owner, last_used_at } }: { reporter: ApiKey }) => (
  <li class="fleet-row" aria-label={name}>
    <div class="fleet-head">
      <strong class="fleet-name">{name}</strong>
      <code>{prefix}…</code>
      <span class="fleet-says hint">{owner}</span>
      <span class="fleet-depth number">
        used <b>{last_used_at && <Time at={last_used_at} as="relative" />}</b>
      </span>
    </div>
  </li>
);

/** Where no project reports its workers yet. */
const Invitation = () => (
  <div class="hint fleet-empty">
    <p>One line in a Celery project brings its workers, queues and schedules to this page:</p>
    <pre class="code">taskroom.instrument(celery_app)</pre>
    {mayAct.value && (
      <p>
        <Link to={`${KEYS_ADDRESS}#${WAYS_IN_HASH}`}>Get a key for it</Link>
      </p>
    )}
  </div>
);
