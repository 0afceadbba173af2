import type { Problem } from "../client/problem";
import { api } from "../state/app";
import { ProblemMessage } from "./problem-message";
import { useLoaded } from "./use-loaded";

/** Why an action on a run has failed. When another user has decided first, it names that user. */
export function CallProblem({ taskId, problem }: { taskId: string; problem: Problem }) {
  const approvals = useLoaded(problem.status === 409 ? () => api.approvals(taskId) : null, [taskId, problem]);
  const last = approvals?.findLast(({ decided_by }) => decided_by);
  return (
    <ProblemMessage problem={problem}>
      {last && ` ${last.decided_by} ${last.approved ? "approved" : "rejected"} “${last.title}”.`}
    </ProblemMessage>
  );
}
