import type { Schedule } from "../client/fleet";
import { tickingServerNow } from "../state/clock";
import { comesIn, scheduleStanding } from "../state/fleet";
import { jobAddress, runAddress } from "../state/routes";
import { exact } from "../state/time";
import { Link } from "./link";
import { StandingMark } from "./marks";
import { Time } from "./time";

/** One entry of a beat: what it sends and when, how that went last, and when it comes next. */
export function ScheduleRow({ schedule }: { schedule: Schedule }) {
  const now = tickingServerNow();
  const { tone, shape, text } = scheduleStanding(schedule, now);
  const { name, own, job_type, last_run_at, last_task_id, last_error, next_run_at, alive } = schedule;
  const last = last_run_at && <Time at={last_run_at} as="relative" />;
  return (
    <li class={`fleet-row spine s-${tone}`} aria-label={name}>
      <div class="fleet-head">
        <StandingMark tone={tone} shape={shape} />
        <strong class="fleet-name">{name}</strong>
        {!own && <span class="chip">{schedule.reporter ?? "of a project"}</span>}
        <span class="fleet-says number">
          <span class={`s-${tone}`}>{text}</span>
          {last && (
            <span class="hint">
              {text && " · "}last {last_task_id ? <Link to={runAddress(last_task_id)}>{last}</Link> : last}
            </span>
          )}
          {!last && <span class="hint">{text && " · "}has not run yet</span>}
        </span>
        {next_run_at && alive && (
          <span class="fleet-depth number" title={exact(next_run_at)}>
            next <b>{comesIn(next_run_at, now)}</b>
          </span>
        )}
      </div>
      {last_error && <p class="fleet-details wrong">{last_error}</p>}
      <p class="hint number fleet-details">
        {schedule.schedule} · {own ? job_type : <Link to={jobAddress(job_type)}>{job_type}</Link>}
      </p>
    </li>
  );
}
