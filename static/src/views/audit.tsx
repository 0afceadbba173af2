import type { ComponentChildren } from "preact";
import { reasonOf } from "../client/outcome";
import { isTerminal, type Task } from "../client/types";
import { api, currentUser } from "../state/app";
import { taskWord } from "../state/marks";
import { runAddress } from "../state/routes";
import { Link } from "./link";
import { ProblemMessage } from "./problem-message";
import { Time } from "./time";
import { useAnswer, useLoaded } from "./use-loaded";

/** The history of a run: who did what, and when. */
export function Audit({ task }: { task: Task }) {
  const asked = useAnswer(() => api.approvals(task.task_id), [task.task_id, task.status]);
  const tried = useAnswer(task.retry_count ? () => api.retries(task.task_id) : null, [task.task_id, task.retry_count]);
  const [approvals, retries, problem] = [asked.value ?? [], tried.value ?? [], asked.problem ?? tried.problem];
  const own = String(currentUser.value?.id) === task.user_id;
  const known = useLoaded(own ? null : () => api.owner(task.task_id).then((name) => name ?? "another user"), [task.task_id, own]);
  const owner = own ? (currentUser.value?.email ?? null) : known;
  const entries: [at: string, text: ComponentChildren][] = [[task.created_at, <Created task={task} owner={owner} />]];
  for (const { asked_at, decided_at, title, risk_level, approved, decided_by } of approvals) {
    entries.push([asked_at, `asked for approval: ${title} (risk ${risk_level})`]);
    if (decided_at) entries.push([decided_at, `${approved ? "approved" : "rejected"} by ${decided_by}: ${title}`]);
  }
  for (const { timestamp, message } of retries) entries.push([timestamp, message]);
  if (task.started_at) entries.push([task.started_at, "started"]);
  if (isTerminal(task.status) && task.finished_at) {
    // A rejection has an entry of its own already.
    const rejected = approvals.some(({ approved }) => approved === false);
    const reason = task.status === "REVOKED" && !rejected ? reasonOf(task) : null;
    entries.push([task.finished_at, reason ?? taskWord(task)]);
  }
  entries.sort(([one], [other]) => Date.parse(one) - Date.parse(other));
  return (
    <div class="panel">
      {problem && <ProblemMessage problem={problem}> Approvals or retries may be missing here.</ProblemMessage>}
      <ol class="audit">
        {entries.map(([at, text], index) => (
          <li key={index}>
            <Time at={at} as="clock" focusable />
            <span>{text}</span>
          </li>
        ))}
      </ol>
      <dl class="facts-list">
        <Fact name="id">{task.task_id}</Fact>
        <Fact name="owner">{owner}</Fact>
        <Fact name="attempt">{task.attempt}</Fact>
        <Fact name="queue">{task.queue ?? null}</Fact>
        <Fact name="worker">{task.worker}</Fact>
      </dl>
    </div>
  );
}

/** `owner` is null until it is known. */
function Created({ task, owner }: { task: Task; owner: string | null }) {
  const how: Record<string, string> = { scheduled: "by schedule", subtask: "as a step of another run", retry: "as a retry" };
  const of = task.retry_of ?? task.parent_id;
  return (
    <>
      created {how[task.trigger ?? ""] ?? (owner && `by ${owner}`)}
      {of && (
        <>
          {" of "}
          <Link to={runAddress(of)}>{task.retry_of ? "an earlier run" : "its parent"}</Link>
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
