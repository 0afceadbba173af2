import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { isTerminal, type DecidedApproval, type Task } from "../client/types";
import { api, signedIn } from "../state/app";
import { stateWord } from "./marks";
import { Link } from "./parts";
import { Time } from "./time";

/** Who did what to the run, and when. */
export function Audit({ task }: { task: Task }) {
  const approvals = useApprovals(task);
  const entries: [at: string, says: ComponentChildren][] = [[task.created_at, <Created task={task} />]];
  for (const { asked_at, decided_at, title, risk_level, approved, decided_by } of approvals) {
    entries.push([asked_at, `asked for approval: ${title} (risk ${risk_level})`]);
    if (decided_at) entries.push([decided_at, `${approved ? "approved" : "rejected"} by ${decided_by}: ${title}`]);
  }
  if (task.started_at) entries.push([task.started_at, "started"]);
  if (isTerminal(task.status) && task.finished_at) {
    // A rejection is told already, with what was rejected.
    const told = task.error && task.status === "REVOKED" && !approvals.some(({ approved }) => approved === false);
    const how = told ? task.error?.message : stateWord(task.status);
    entries.push([task.finished_at, how]);
  }
  entries.sort(([one], [other]) => Date.parse(one) - Date.parse(other));
  return (
    <div class="panel">
      <ol class="audit">
        {entries.map(([at, says], index) => (
          <li key={index}>
            <Time at={at} as="clock" focusable />
            <span>{says}</span>
          </li>
        ))}
      </ol>
      <dl class="facts-list">
        <Fact name="id">{task.task_id}</Fact>
        <Fact name="owner">{nameOf(task.user_id)}</Fact>
        <Fact name="intent">{task.intent}</Fact>
        <Fact name="attempt">{task.attempt}</Fact>
        <Fact name="worker">{task.worker}</Fact>
      </dl>
    </div>
  );
}

/** Of others only the id is known here. */
function nameOf(userId: string): string {
  const user = signedIn.value.kind === "in" ? signedIn.value.user : null;
  return user && String(user.id) === userId ? user.email : userId;
}

function Created({ task }: { task: Task }) {
  const how: Record<string, string> = { scheduled: "by schedule", subtask: "as a step of another run", retry: "as a retry" };
  const of = task.retry_of ?? task.parent_id;
  return (
    <>
      created {how[task.trigger ?? ""] ?? `by ${nameOf(task.user_id)}`}
      {of && (
        <>
          {" of "}
          <Link to={`/runs/${encodeURIComponent(of)}`}>{of}</Link>
        </>
      )}
    </>
  );
}

const Fact = ({ name, children }: { name: string; children: ComponentChildren }) =>
  children === null || children === "" ? null : (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );

function useApprovals({ task_id, status }: Task): DecidedApproval[] {
  const [approvals, set] = useState<DecidedApproval[]>([]);
  useEffect(() => {
    let stale = false;
    api.approvals(task_id).then(
      (found) => stale || set(found),
      () => undefined, // the rest of it is known without the server
    );
    return () => void (stale = true);
  }, [task_id, status]);
  return approvals;
}
