import { useEffect, useState } from "preact/hooks";
import { logDownload, rawSnapshot } from "../client/api";
import { BULK } from "../client/bulk";
import { isTerminal, type Approval, type Task } from "../client/types";
import { go } from "../state/address";
import { api, mayAct } from "../state/app";
import { copied } from "../state/clipboard";
import { useCommand } from "../state/commands";
import { compareAddress } from "../state/routes";
import { narrow } from "../state/screen";
import { Confirm } from "./confirm";
import { Copy } from "./copy";
import { Decide } from "./decide";
import { Link } from "./link";
import { More } from "./more";
import { RunAgain } from "./run-again";
import { ShareDialog } from "./share-dialog";
import type { Call } from "./use-call";

/** A cancel that is not confirmed for so long is said to be open. */
const CONFIRMED_MS = 5_000;

/** The actions that the state of a run allows. */
export function Actions({ task, approval, call }: { task: Task; approval: Approval | null; call: Call }) {
  const over = isTerminal(task.status);
  const [sharing, share] = useState(false);
  useCommand("Copy a link to this run", () => void copied(location.href));
  useCommand("Copy the id of this run", () => void copied(task.task_id));
  useCommand("Compare this run", () => go(compareAddress(task.task_id)));
  useCommand("Download the log", () => location.assign(logDownload(task.task_id, "text")));
  useCommand(mayAct.value ? "Share this run" : "", () => share(true));
  return (
    <div class="actions" role="group" aria-label="Actions">
      {approval && narrow.value && <Decide task={task} approval={approval} call={call} />}
      {mayAct.value && !over && <Cancel task={task} call={call} />}
      {mayAct.value && over && (task.observed ? task.can_retry : task.job_type !== BULK) && (
        <RunAgain key={task.task_id} task={task} call={call} />
      )}
      <More face="More">
        {mayAct.value && (
          <button type="button" onClick={() => share(true)}>
            Share
          </button>
        )}
        <Link to={compareAddress(task.task_id)}>Compare</Link>
        <Copy text={() => location.href}>Copy link</Copy>
        <Copy text={task.task_id}>Copy id</Copy>
        <a href={logDownload(task.task_id, "text")} download>
          Download log
        </a>
        <a href={rawSnapshot(task.task_id)} target="_blank" rel="noreferrer">
          Raw JSON
        </a>
      </More>
      {sharing && <ShareDialog taskId={task.task_id} close={() => share(false)} />}
    </div>
  );
}

/** Cancels a run, which stops at its next report; that may take a moment. */
function Cancel({ task, call }: { task: Task; call: Call }) {
  const [sent, setSent] = useState(false);
  const [late, setLate] = useState(false);
  useEffect(() => {
    if (call.problem) setSent(false);
  }, [call.problem]);
  useEffect(() => {
    setLate(false);
    if (!sent) return;
    const timer = setTimeout(() => setLate(true), CONFIRMED_MS);
    return () => clearTimeout(timer);
  }, [sent]);
  const cancel = (): void => {
    setSent(true);
    call.run(() => api.cancel(task.task_id));
  };
  useCommand(sent || call.busy ? "" : "Cancel this run", cancel, "Cancel now");
  return (
    <>
      {late && (
        <span class="asked" role="status">
          The run has not confirmed the cancel yet. It stops at its next report.
        </span>
      )}
      <Confirm name={sent ? "Cancelling" : "Cancel"} sure="Cancel now" disabled={sent || call.busy} run={cancel} />
    </>
  );
}
