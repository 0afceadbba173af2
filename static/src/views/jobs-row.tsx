import type { JobRow, Rate } from "../client/jobStats";
import { tickingServerNow } from "../state/clock";
import { barsOf } from "../state/earlier";
import type { Scope } from "../state/filter";
import { openOf, rateAbout, trendOf } from "../state/job-list";
import { rateText } from "../state/job-stats";
import { toneOf } from "../state/marks";
import { jobAddress, runAddress } from "../state/routes";
import { duration } from "../state/time";
import { Link } from "./link";
import { TaskMark } from "./marks";
import { Strip } from "./strip";
import { Time } from "./time";

interface Props {
  row: JobRow;
  scope: Scope;
  /** Whether all open runs were counted. */
  complete: boolean;
  /** What the address of a job ends with. */
  query: string;
}

/** One job of the list of all: it leads to its page. */
export function JobsRow({ row: { job_type, day, week, duration: took, open, runs }, scope, complete, query }: Props) {
  const [last] = runs;
  return (
    <tr>
      <th scope="row">
        <span>
          <TaskMark status={last?.status ?? "PENDING"} />
          <Link to={`${jobAddress(job_type)}${query}`}>{job_type}</Link>
        </span>
      </th>
      <td class="jobs-strip">{last && <Strip bars={barsOf(runs, tickingServerNow())} apart={false} look={() => undefined} />}</td>
      <RateCell name="Failed in a day" rate={day} time="day" />
      <RateCell name="In a week" rate={week} time="week" />
      <td class="number hint" data-name="Week before">
        {rateText(week.before.failure_rate)}
      </td>
      <td class="number" data-name="Usually" title={usual(took)}>
        {took.p50 !== null && duration(took.p50)}
      </td>
      <td class="jobs-now number">
        {openOf(job_type, open, complete, scope).map(({ status, text, to }) => (
          <Link key={status} to={to} class={status === "PENDING" ? "" : `s-${toneOf(status)}`}>
            {text}
          </Link>
        ))}
      </td>
      <td class="jobs-last">
        {last && (
          <Link to={runAddress(last.task_id)} title={last.title}>
            <Time at={last.finished_at ?? last.started_at ?? last.created_at} as="relative" />
          </Link>
        )}
      </td>
    </tr>
  );
}

const usual = ({ p50, p95 }: JobRow["duration"]): string | undefined =>
  p50 === null || p95 === null ? undefined : `Half take at most ${duration(p50)}, 95 of 100 at most ${duration(p95)}`;

const TRENDS = { worse: "↑", better: "↓" };

function RateCell({ name, rate, time }: { name: string; rate: Rate; time: "day" | "week" }) {
  const trend = trendOf(rate);
  const tone = rate.failure_rate ? "s-fail" : "hint";
  return (
    <td class={`number ${tone}`} data-name={name} title={rateAbout(rate, time)}>
      {rateText(rate.failure_rate)}
      {trend && (
        <span class="jobs-trend" role="img" aria-label={`, ${trend} than the ${time} before`}>
          {TRENDS[trend]}
        </span>
      )}
    </td>
  );
}
