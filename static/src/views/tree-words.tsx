import { plainText } from "../client/terminalText";
import { reasonOf } from "../client/outcome";
import type { Task } from "../client/types";
import { progressOf } from "../state/estimate";
import { count, percentText, quantity } from "../state/format";
import { taskWord } from "../state/marks";
import type { About } from "../state/tree";

const MOST_COUNTED = 200;

/** What a row says of its task in a few words: its error, else what it does; and how its children get on. */
export function TreeWords({ task, about, open }: { task: Task; about: About; open: boolean }) {
  const said = saysOf(task);
  const below = about.children.tasks && (!open || about.children.failed) ? childrenText(about.children) : null;
  return (
    <>
      {below && <span class={about.children.failed ? "s-fail" : undefined}>{below}</span>}
      {below && said && " · "}
      {said && (
        <span class={task.status === "FAILURE" ? "s-fail" : undefined} title={said}>
          {said}
        </span>
      )}
    </>
  );
}

function saysOf(task: Task): string {
  const { status } = task;
  if (status === "SUCCESS") return plainText(task.current_phase_message ?? "");
  if (status === "WAITING") return taskWord(task);
  const reason = reasonOf(task);
  if (status === "RETRY") return [taskWord(task), reason].filter(Boolean).join(": ");
  if (status !== "STARTED") return plainText(reason ?? taskWord(task));
  return plainText([percentText(progressOf(task)), task.current_phase_message ?? task.current_phase].filter(Boolean).join(" · ")) || taskWord(task);
}

function childrenText({ tasks, ended, failed }: About["children"]): string {
  const many = tasks > MOST_COUNTED ? `more than ${count(MOST_COUNTED)} tasks` : quantity(tasks, "task");
  const words = ended < tasks && tasks <= MOST_COUNTED ? `${count(ended)} of ${many}` : many;
  return failed ? `${words}, ${count(failed)} failed` : words;
}
