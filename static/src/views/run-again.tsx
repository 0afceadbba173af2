import { useEffect, useMemo, useState } from "preact/hooks";
import type { Task } from "../client/types";
import { go } from "../state/address";
import { api, connection, currentUser } from "../state/app";
import { useCommand } from "../state/commands";
import { shortId } from "../state/format";
import { runAddress } from "../state/routes";
import { StartedAgain } from "../state/started-again";
import { AgainDialog } from "./again-dialog";
import { Link } from "./link";
import { More } from "./more";
import type { Call } from "./use-call";

/** Starts an ended run again, at once or after changes in its form, and goes to the new one. An observed run is started by
 * its reporter, when that hears of it, as it was. */
export function RunAgain({ task, call }: { task: Task; call: Call }) {
  const [last, ask] = useState("");
  const [changing, change] = useState(false);
  const again = async (): Promise<void> => {
    const { task_id, retry_of } = await api.retry(task.task_id);
    if (task_id === task.task_id) ask(retry_of ?? task_id);
    else go(runAddress(task_id));
  };
  const able = last === "" && !call.busy;
  useCommand(able ? "Run again" : "", () => call.run(again));
  useCommand(able && !task.observed ? "Run again with changes" : "", () => change(true));
  if (last) return <Asked task={task} last={last} />;
  const same = (text: string) => (
    <button type="button" disabled={call.busy} onClick={() => call.run(again)}>
      {text}
    </button>
  );
  if (task.observed) return same("Run again");
  return (
    <>
      <More label="Run again" face="Run again…">
        {same("The same")}
        <button type="button" onClick={() => change(true)}>
          With changes
        </button>
      </More>
      {changing && <AgainDialog task={task} close={() => change(false)} />}
    </>
  );
}

function Asked({ task, last }: { task: Task; last: string }) {
  const scope = String(currentUser.value?.id) === task.user_id ? "own" : "tenant";
  const started = useMemo(() => new StartedAgain(last, task.job_type, scope, api, connection), [last]);
  useEffect(() => () => started.stop(), [started]);
  const run = started.run.value;
  return (
    <span class="asked" role="status">
      {run ? (
        <>
          Started again as <Link to={runAddress(run.task_id)}>{shortId(run.task_id)}</Link>
        </>
      ) : (
        "Asked for; the reporter will start it"
      )}
    </span>
  );
}
