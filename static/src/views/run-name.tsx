import type { ComponentChildren } from "preact";
import type { Task } from "../client/types";
import { hasTitle } from "../state/format";
import { taskWord } from "../state/marks";
import { TaskMark } from "./marks";

/** What a run is called, over its job type and what is said of it in small. */
export const RunName = ({ task, children }: { task: Task; children: ComponentChildren }) => (
  <div class="head-name">
    <h1 title={hasTitle(task) ? task.title : task.job_type}>
      <TaskMark status={task.status} word={taskWord(task)} />
      <bdi>{hasTitle(task) ? task.title : task.job_type}</bdi>
    </h1>
    <p class="head-facts">
      {hasTitle(task) && <span class="chip">{task.job_type}</span>}
      {children}
    </p>
  </div>
);
