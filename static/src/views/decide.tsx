import { useEffect, useState } from "preact/hooks";
import type { Approval, Task } from "../client/types";
import { api, mayAct } from "../state/app";
import { useCommand } from "../state/commands";
import { Approve } from "./approve";
import { Confirm } from "./confirm";
import type { Call } from "./use-call";

interface Props {
  task: Task;
  approval: Approval;
  call: Call;
}

/** The buttons that approve or reject what a run waits for. */
export function Decide({ task, approval, call }: Props) {
  const [sent, setSent] = useState<string | null>(null);
  useEffect(() => {
    if (call.problem) setSent(null);
  }, [call.problem]);
  const decide = (approved: boolean): void => {
    setSent(approval.key);
    call.run(() => api.decide(task.task_id, approved));
  };
  const done = call.busy || sent === approval.key;
  const able = mayAct.value && !done;
  useCommand(able ? `Approve: ${approval.title}` : "", () => decide(true), "Approve now");
  useCommand(able ? `Reject: ${approval.title}` : "", () => decide(false), "Reject now");
  if (!mayAct.value) return null;
  return (
    <>
      <Approve risk={approval.risk_level} disabled={done} run={() => decide(true)} />
      <Confirm name="Reject" sure="Reject now" disabled={done} run={() => decide(false)} />
    </>
  );
}
