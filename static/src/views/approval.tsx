import { useEffect, useState } from "preact/hooks";
import type { Problem } from "../client/problem";
import type { Approval, DecidedApproval, Task } from "../client/types";
import { api } from "../state/app";
import { narrow } from "../state/screen";
import { Decide, mayAct } from "./actions";
import type { Call } from "./use-call";
import { TaskMark } from "./marks";
import { Link } from "./parts";
import { Trouble } from "./problem-message";

const RISKY = ["high", "critical"];

/** What the run waits for, where it cannot be overlooked. */
export function ApprovalBand({ task, approval, call }: { task: Task; approval: Approval; call: Call }) {
  const cost = approval.estimated_cost;
  return (
    <section class="approval" aria-label="Approval needed">
      <TaskMark status="WAITING" />
      <p>
        <strong>{approval.title}</strong>
        <span class={RISKY.includes(approval.risk_level) ? "risk s-fail" : "risk"}>risk {approval.risk_level}</span>
        {cost > 0 && <span class="number">estimated cost {cost.toLocaleString("en", { minimumFractionDigits: 2 })}</span>}
        {!mayAct() && <em>Somebody who may act has to decide.</em>}
      </p>
      {!narrow.value && <Decide task={task} approval={approval} call={call} />}
    </section>
  );
}

/** A step of the run that waits: what it waits for is decided on its own page. */
export const StepBand = ({ step }: { step: Task }) => (
  <section class="approval" aria-label="Approval needed">
    <TaskMark status="WAITING" />
    <p>
      <span>
        A step waits for approval: <Link to={`/runs/${encodeURIComponent(step.task_id)}`}>{step.title}</Link>
      </span>
    </p>
  </section>
);

/** A decision or a cancel that came too late: somebody was quicker, and the page says who. */
export function CallTrouble({ taskId, problem }: { taskId: string; problem: Problem }) {
  const [last, setLast] = useState<DecidedApproval | null>(null);
  useEffect(() => {
    if (problem.status !== 409) return;
    let stale = false;
    api.approvals(taskId).then(
      (approvals) => stale || setLast(approvals.findLast(({ decided_by }) => decided_by) ?? null),
      () => undefined, // who it was stays untold; the refusal itself is shown
    );
    return () => void (stale = true);
  }, [taskId, problem]);
  return (
    <Trouble problem={problem}>
      {last && ` ${last.decided_by} ${last.approved ? "approved" : "rejected"} “${last.title}”.`}
    </Trouble>
  );
}
