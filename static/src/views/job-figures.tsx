import type { JobStats, Rate } from "../client/jobStats";
import { count } from "../state/format";
import { rateAbout } from "../state/job-list";
import { rateText, total } from "../state/job-stats";
import { duration } from "../state/time";

/** The numbers that answer at a glance: how many, how many failed, how long. */
export function JobFigures({ stats: { counts, day, week, duration: took } }: { stats: JobStats }) {
  const { FAILURE: failed = 0, REVOKED: cancelled = 0 } = counts;
  const others = [failed && `${count(failed)} failed`, cancelled && `${count(cancelled)} cancelled`].filter(Boolean).join(", ");
  return (
    <dl class="job-figures">
      <Figure name="Runs" value={count(total(counts))} about={others} />
      <RateFigure name="Failed in a day" rate={day} time="day" />
      <RateFigure name="Failed in a week" rate={week} time="week" />
      <Figure name="Half take at most" value={took.p50 === null ? "–" : duration(took.p50)} about={took.p50 === null ? "no run succeeded" : "p50 of successes"} />
      <Figure name="95 of 100 take at most" value={took.p95 === null ? "–" : duration(took.p95)} about={took.p95 === null ? "" : "p95 of successes"} />
    </dl>
  );
}

const RateFigure = ({ name, rate, time }: { name: string; rate: Rate; time: "day" | "week" }) => (
  <Figure name={name} value={rateText(rate.failure_rate) || "–"} about={rateAbout(rate, time)} tone={rate.failure_rate ? "s-fail" : ""} />
);

const Figure = ({ name, value, about, tone = "" }: { name: string; value: string; about: string; tone?: string }) => (
  <div>
    <dt>{name}</dt>
    <dd>
      <b class={`number ${tone}`}>{value}</b>
      <small class="number">{about}</small>
    </dd>
  </div>
);
