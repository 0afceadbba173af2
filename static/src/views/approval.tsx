import type { Approval, Task } from "../client/types";
import { mayAct } from "../state/app";
import { stepAddress } from "../state/chosen-step";
import { narrow } from "../state/screen";
import { Decide } from "./decide";
import { Link } from "./link";
import { TaskMark } from "./marks";
import type { Call } from "./use-call";

const RISKY = ["high", "critical"];

/** The approval that the run waits for, in the head of its page. */
export function ApprovalBand({ task, approval, call }: { task: Task; approval: Approval; call: Call }) {
  const cost = approval.estimated_cost;
  return (
    <section class="approval" aria-label="Approval needed">
      <TaskMark status="WAITING" />
      <p>
        <strong>{approval.title}</strong>
        <span class={RISKY.includes(approval.risk_level) ? "risk s-fail" : "risk"}>risk {approval.risk_level}</span>
        {cost > 0 && <span class="number">estimated cost {cost.toLocaleString("en", { minimumFractionDigits: 2 })}</span>}
        {!mayAct.value && <em>Somebody who may act has to decide.</em>}
      </p>
      {!narrow.value && <Decide task={task} approval={approval} call={call} />}
    </section>
  );
}

/** A step of the run that waits for approval, with a link to where it is decided. */
export const StepBand = ({ runId, step }: { runId: string; step: Task }) => (
  <section class="approval" aria-label="Approval needed">
    <TaskMark status="WAITING" />
    <p>
      <span>
        A step waits for approval: <Link to={stepAddress(runId, step.task_id)}>{step.title}</Link>
      </span>
    </p>
  </section>
);
