import type { JobStats } from "../client/jobStats";
import { count, quantity } from "../state/format";
import { rateText, total } from "../state/job-stats";
import { duration } from "../state/time";

/** The numbers that answer at a glance: how many, how many failed, how long. */
export function JobFigures({ stats: { counts, failure_rate, duration: took } }: { stats: JobStats }) {
  const { FAILURE: failed = 0, REVOKED: cancelled = 0 } = counts;
  return (
    <dl class="job-figures">
      <Figure name="Runs" value={count(total(counts))} about={cancelled ? `${count(cancelled)} cancelled` : ""} />
      <Figure
        name="Failed"
        value={rateText(failure_rate) || "–"}
        about={failed ? quantity(failed, "run") : ""}
        tone={failed ? "s-fail" : ""}
      />
      <Figure name="Half take at most" value={took.p50 === null ? "–" : duration(took.p50)} about={took.p50 === null ? "no run succeeded" : "p50 of successes"} />
      <Figure name="95 of 100 take at most" value={took.p95 === null ? "–" : duration(took.p95)} about={took.p95 === null ? "" : "p95 of successes"} />
    </dl>
  );
}

const Figure = ({ name, value, about, tone = "" }: { name: string; value: string; about: string; tone?: string }) => (
  <div>
    <dt>{name}</dt>
    <dd>
      <b class={`number ${tone}`}>{value}</b>
      <small class="number">{about}</small>
    </dd>
  </div>
);
