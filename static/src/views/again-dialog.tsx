import { useEffect } from "preact/hooks";
import { Problem } from "../client/problem";
import type { Task } from "../client/types";
import { jobTypes, loadJobTypes } from "../state/jobs";
import { shortId } from "../state/format";
import { Lazy } from "../state/lazy";
import { Dialog } from "./dialog";
import { ProblemMessage } from "./problem-message";

/** Most readers of a run need no form. */
const form = new Lazy(async () => (await import("./start")).JobForm);

/** The form of a run's job type, filled with the run's parameters. */
export function AgainDialog({ task, close }: { task: Task; close: () => void }) {
  useEffect(() => {
    void form.load();
    void loadJobTypes();
  }, []);
  return (
    <Dialog label="Run again with changes" class="panel-dialog" close={close}>
      <header>
        <h2>
          Run again <small>with the parameters of {shortId(task.task_id)}</small>
        </h2>
        <button type="button" onClick={close}>
          Close
        </button>
      </header>
      <Form task={task} />
    </Dialog>
  );
}

function Form({ task }: { task: Task }) {
  const types = jobTypes.value;
  const View = form.value.value;
  if (types instanceof Problem) return <ProblemMessage problem={types} />;
  if (form.failed.value) return <ProblemMessage problem={new Problem(0, "The form could not be loaded")} />;
  if (!types || !View) return <p class="hint">Loading.</p>;
  const job = types.find(({ job_type }) => job_type === task.job_type);
  if (!job) return <p class="hint">No worker has the job {task.job_type} any more.</p>;
  return <View job={job} types={types} again={task} />;
}
