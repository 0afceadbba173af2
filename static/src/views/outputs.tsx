import { outputDownload } from "../client/api";
import type { Problem } from "../client/problem";
import type { OutputFile } from "../client/related";
import type { Task } from "../client/types";
import { save } from "../state/download";
import { bytes, missingWord, outputRows, typeWord, type OutputRow } from "../state/outputs";
import "../style/outputs.css";
import { ProblemMessage } from "./problem-message";
import { Time } from "./time";
import { useCall } from "./use-call";

interface Props {
  task: Task;
  /** `value` is null while they are not known. */
  outputs: { value: readonly OutputFile[] | null; problem: Problem | null };
  /** By name: what each of the files is that the job says it saves. */
  declared: Readonly<Record<string, string>>;
  /** Fetches one, where a link would not carry the right to it. Throws Problem. */
  load?: (name: string) => Promise<Blob>;
}

/** The files that a run has saved, to be downloaded, and those that its job says it saves. */
export const Outputs = ({ task, outputs: { value, problem }, declared, load }: Props) => (
  <>
    {problem && <ProblemMessage problem={problem}>{value && " What is shown is what was last known."}</ProblemMessage>}
    {value && (
      <ul class="outputs">
        {outputRows(value, declared).map((row) => (
          <Output key={row.name} {...{ task, row }} load={load && (() => load(row.name))} />
        ))}
      </ul>
    )}
  </>
);

interface OutputProps {
  task: Task;
  row: OutputRow;
  load: (() => Promise<Blob>) | undefined;
}

function Output({ task, row: { name, about, file }, load }: OutputProps) {
  if (!file) {
    return (
      <li class="missing-output">
        <Icon />
        <p class="output-name">{name}</p>
        <p class="output-facts">{missingWord(task)}</p>
        {about && <p class="output-about">{about}</p>}
      </li>
    );
  }
  const facts = [bytes(file.size), typeWord(file), file.attempt > 1 ? `attempt ${file.attempt}` : ""];
  return (
    <li>
      <Icon />
      {load ? (
        <LoadedFile name={name} load={load} />
      ) : (
        <a class="output-name" href={outputDownload(task.task_id, name)} download={name} title={`Download ${name}`}>
          {name}
        </a>
      )}
      <p class="output-facts number">
        {facts.filter(Boolean).join(" · ")} · <Time at={file.created_at} />
      </p>
      {about && <p class="output-about">{about}</p>}
    </li>
  );
}

/** A file that is fetched first, then saved. */
function LoadedFile({ name, load }: { name: string; load: () => Promise<Blob> }) {
  const call = useCall();
  return (
    <span class="output-name">
      <button type="button" class="plain" disabled={call.busy} title={`Download ${name}`} onClick={() => call.run(async () => save(await load(), name))}>
        {name}
      </button>
      {call.busy && <span role="status"> is being loaded</span>}
      {call.problem && <ProblemMessage problem={call.problem} />}
    </span>
  );
}

const Icon = () => (
  <svg class="mark" viewBox="0 0 16 16" aria-hidden="true">
    <path d="M4 1.75h5L12.25 5v9.25H4zM9 1.75V5h3.25" fill="none" stroke="currentColor" stroke-width="1.5" />
  </svg>
);
