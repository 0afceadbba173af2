import { Problem } from "../client/problem";
import { jobTypes, loadJobTypes } from "../state/jobs";
import { Dialog } from "./dialog";
import { ProblemMessage } from "./problem-message";
import { Start } from "./start";

/** The dialog that starts a run. */
export function NewRun({ close }: { close: () => void }) {
  const types = jobTypes.value;
  return (
    <Dialog label="New run" class="panel-dialog" close={close}>
      <header>
        <h2>New run</h2>
        <button type="button" onClick={close}>
          Close
        </button>
      </header>
      {types instanceof Problem && (
        <ProblemMessage problem={types}>
          {" "}
          <button type="button" class="plain" onClick={() => void loadJobTypes()}>
            Try again
          </button>
        </ProblemMessage>
      )}
      {types && !(types instanceof Problem) && <Start types={types} />}
    </Dialog>
  );
}
