import type { Queue } from "../client/fleet";
import { tickingServerNow } from "../state/clock";
import { isOld, queueStanding } from "../state/fleet";
import { count } from "../state/format";
import type { Trend } from "../state/queue-depths";
import { duration, moment } from "../state/time";
import { Confirm } from "./confirm";
import { StandingMark } from "./marks";
import { ProblemMessage } from "./problem-message";
import { useCall } from "./use-call";

interface Props {
  queue: Queue;
  trend: Trend;
  /** Undefined where the user may not pause it. */
  pause: ((name: string, paused: boolean) => Promise<void>) | undefined;
}

/** One queue: how many wait and for how long, whether that grows, and who takes from it. */
export function QueueRow({ queue, trend, pause }: Props) {
  const call = useCall();
  const { tone, shape, text } = queueStanding(queue, tickingServerNow());
  return (
    <li class={`fleet-row spine s-${tone}`} aria-label={queue.name}>
      <div class="fleet-head">
        <StandingMark tone={tone} shape={shape} />
        <strong class="fleet-name">{queue.name}</strong>
        {!queue.own && <span class="chip">{queue.reporter ?? "of a project"}</span>}
        <span class={`fleet-says number s-${tone}`}>{text}</span>
        {trend.points && (
          <svg class="fleet-trend" viewBox="0 0 1 1" preserveAspectRatio="none" aria-hidden="true">
            <polyline points={trend.points} fill="none" stroke="currentColor" vector-effect="non-scaling-stroke" />
          </svg>
        )}
        <span class={isOld(queue) ? "fleet-depth number old" : "fleet-depth number"}>
          <b>{count(queue.depth)}</b> {isOld(queue) ? `waited at ${moment(queue.seen_at)}` : "waiting"}
          {queue.oldest_wait_seconds !== null && ` for up to ${duration(queue.oldest_wait_seconds)}`}
        </span>
        {pause && (
          <Confirm
            name={queue.paused ? "Resume" : "Pause"}
            sure={queue.paused ? "Resume now" : "Pause now"}
            disabled={call.busy}
            run={() => call.run(() => pause(queue.name, !queue.paused))}
          />
        )}
      </div>
      {call.problem && <ProblemMessage problem={call.problem} />}
      {(trend.text || queue.workers.length > 0) && (
        <p class="hint number fleet-details">
          {trend.text && <strong class={trend.grows ? "s-wait" : undefined}>{trend.text}</strong>}
          {trend.text && queue.workers.length > 0 && " · "}
          {queue.workers.join(", ")}
          {queue.consumers > queue.workers.length && ` and ${count(queue.consumers - queue.workers.length)} more`}
        </p>
      )}
    </li>
  );
}
