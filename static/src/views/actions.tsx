import { useEffect, useState } from "preact/hooks";
import { logDownload, rawSnapshot } from "../client/api";
import { isTerminal, type Approval, type Task } from "../client/types";
import { api, go, signedIn } from "../state/app";
import { narrow } from "../state/screen";
import type { Call } from "./use-call";
import { Confirm } from "./confirm";
import { Copy } from "./copy";
import { More } from "./more";

/** Whether who is signed in may do more than look; the server says so again. */
export const mayAct = (): boolean => signedIn.value.kind === "in" && signedIn.value.user.role !== "viewer";

/** What can be done with a run as it stands. */
export function Actions({ task, approval, call }: { task: Task; approval: Approval | null; call: Call }) {
  const over = isTerminal(task.status);
  return (
    <div class="actions" role="group" aria-label="Actions">
      {approval && narrow.value && <Decide task={task} approval={approval} call={call} />}
      {mayAct() && !over && <Cancel task={task} call={call} />}
      {mayAct() && over && (
        <button
          type="button"
          disabled={call.busy}
          onClick={() => call.run(() => api.retry(task.task_id).then(({ task_id }) => go(`/runs/${task_id}`)))}
        >
          Run again
        </button>
      )}
      <More>
        <Copy text={() => location.href}>Copy link</Copy>
        <Copy text={task.task_id}>Copy id</Copy>
        <a href={logDownload(task.task_id, "text")} download>
          Download log
        </a>
        <a href={rawSnapshot(task.task_id)} target="_blank" rel="noreferrer">
          Raw JSON
        </a>
      </More>
    </div>
  );
}

/** A run that works stops at its next report, which may take a moment. */
function Cancel({ task, call }: { task: Task; call: Call }) {
  const [sent, setSent] = useState(false);
  useEffect(() => {
    if (call.problem) setSent(false);
  }, [call.problem]);
  const cancel = (): void => {
    setSent(true);
    call.run(() => api.cancel(task.task_id));
  };
  return <Confirm name={sent ? "Cancelling" : "Cancel"} sure="Cancel now" disabled={sent || call.busy} run={cancel} />;
}

interface DecideProps {
  task: Task;
  approval: Approval;
  call: Call;
}

/** Yes or no to what the run waits for. */
export function Decide({ task, approval, call }: DecideProps) {
  const [sent, setSent] = useState<string | null>(null);
  useEffect(() => {
    if (call.problem) setSent(null);
  }, [call.problem]);
  if (!mayAct()) return null;
  const decide = (approved: boolean): void => {
    setSent(approval.key);
    call.run(() => api.decide(task.task_id, approved));
  };
  const done = call.busy || sent === approval.key;
  return (
    <>
      <button type="button" class="primary" disabled={done} onClick={() => decide(true)}>
        Approve
      </button>
      <Confirm name="Reject" sure="Reject now" disabled={done} run={() => decide(false)} />
    </>
  );
}
