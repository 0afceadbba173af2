import { outputDownload } from "../client/api";
import type { OutputFile } from "../client/related";
import type { Task } from "../client/types";
import { bytes, missingWord, outputRows, typeWord, type OutputRow } from "../state/outputs";
import "../style/outputs.css";
import { Time } from "./time";

interface Props {
  task: Task;
  files: readonly OutputFile[];
  /** By name: what each of the files is that the job says it saves. */
  declared: Readonly<Record<string, string>>;
}

/** The files that a run has saved, to be downloaded, and those that its job says it saves. */
export const Outputs = ({ task, files, declared }: Props) => (
  <ul class="outputs">
    {outputRows(files, declared).map((row) => (
      <Output key={row.name} task={task} row={row} />
    ))}
  </ul>
);

function Output({ task, row: { name, about, file } }: { task: Task; row: OutputRow }) {
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
      <a class="output-name" href={outputDownload(task.task_id, name)} download={name} title={`Download ${name}`}>
        {name}
      </a>
      <p class="output-facts number">
        {facts.filter(Boolean).join(" · ")} · <Time at={file.created_at} />
      </p>
      {about && <p class="output-about">{about}</p>}
    </li>
  );
}

const Icon = () => (
  <svg class="mark" viewBox="0 0 16 16" aria-hidden="true">
    <path d="M4 1.75h5L12.25 5v9.25H4zM9 1.75V5h3.25" fill="none" stroke="currentColor" stroke-width="1.5" />
  </svg>
);
