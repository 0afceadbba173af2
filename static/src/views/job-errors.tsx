import type { ErrorCount } from "../client/jobStats";
import { tickingServerNow } from "../state/clock";
import { count } from "../state/format";
import { runAddress } from "../state/routes";
import { ago, exact } from "../state/time";
import { Link } from "./link";

/** Why runs failed, the most frequent reason first, each with its last run. */
export function JobErrors({ errors }: { errors: readonly ErrorCount[] }) {
  if (errors.length === 0) return null;
  const now = tickingServerNow();
  return (
    <section class="job-part" aria-label="Errors">
      <h2>Why runs failed</h2>
      <ol class="job-errors">
        {errors.map((error) => (
          <li key={`${error.type} ${error.place}`}>
            <b class="number s-fail">{count(error.number)}</b>
            <div>
              <p>
                <strong>{error.type}</strong>
                {error.place && <code>{error.place}</code>}
              </p>
              {error.message && <p class="job-message">{error.message}</p>}
            </div>
            {error.task_id ? (
              <Link to={runAddress(error.task_id)} title={exact(error.last_at)}>
                last {ago(error.last_at, now)}
              </Link>
            ) : (
              <span class="hint" title={exact(error.last_at)}>
                last {ago(error.last_at, now)}
              </span>
            )}
          </li>
        ))}
      </ol>
    </section>
  );
}
