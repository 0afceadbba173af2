import { useMemo, useRef } from "preact/hooks";
import type { TreeTask } from "../client/tree";
import type { Task } from "../client/types";
import { go } from "../state/address";
import { chooseStep } from "../state/chosen-step";
import { hasTitle } from "../state/format";
import { taskTone, taskWord } from "../state/marks";
import { nameOf, type TaskRow } from "../state/outline";
import { runAddress } from "../state/routes";
import { piecesOf } from "../state/spans";
import type { TreeNode } from "../state/tree";
import { Chevron } from "./chevron";
import { Elapsed } from "./elapsed";
import { Link } from "./link";
import { TaskMark } from "./marks";
import type { TreeHost } from "./tree-host";
import { TreeWords } from "./tree-words";

/** A pointer that is drawn so far selects text, and chooses nothing. */
const SELECTS_PX = 4;

interface Props {
  host: TreeHost;
  row: TaskRow;
  node: TreeNode;
  /** Where the axis begins, in milliseconds. */
  begin: number;
  chosen: boolean;
  tabbable: boolean;
  open: (id: string, wanted: boolean) => void;
}

/** A task of the outline. Choosing it shows its log beside; Enter opens its page, where it has one. */
export function TreeRow({ host: { linked, Approval }, row, node, begin, chosen, tabbable, open }: Props) {
  const { task } = node.row.value;
  const { approval } = node.about.value;
  const { id, level } = row;
  const name = nameOf(task);
  const pressedAt = useRef({ x: 0, y: 0 });
  const click = (event: MouseEvent): void => {
    const inControl = (event.target as Element).closest("a, button, input, .t-ask");
    const { x, y } = pressedAt.current;
    const selects = Math.hypot(event.clientX - x, event.clientY - y) > SELECTS_PX && !document.getSelection()?.isCollapsed;
    if (inControl || selects) return;
    chooseStep(chosen ? null : id);
  };
  const press = (event: KeyboardEvent): void => {
    if (event.target !== event.currentTarget || (event.key !== "Enter" && event.key !== " ")) return;
    event.preventDefault();
    if (event.key === "Enter" && linked) go(runAddress(id));
    else chooseStep(chosen ? null : id);
  };
  return (
    <div
      class={chosen ? "tree-row chosen" : "tree-row"}
      role="row"
      data-row={id}
      aria-level={level}
      aria-posinset={row.position}
      aria-setsize={row.size}
      aria-expanded={row.open ?? undefined}
      aria-selected={chosen}
      tabIndex={tabbable ? 0 : -1}
      style={{ "--level": String(level) }}
      onPointerDown={({ clientX, clientY }) => (pressedAt.current = { x: clientX, y: clientY })}
      onClick={click}
      onKeyDown={press}
    >
      <span role="gridcell" class="t-name">
        {row.open === null ? (
          <span class="t-toggle" />
        ) : (
          <button type="button" class="t-toggle" tabIndex={-1} aria-label={`Tasks of ${name}`} aria-expanded={row.open} onClick={() => open(id, !row.open)}>
            <Chevron open={row.open} />
          </button>
        )}
        <TaskMark status={task.status} word={taskWord(task)} />
        <b title={name}>{name}</b>
        {hasTitle(task) && <em>{task.job_type}</em>}
        {task.retry_count > 0 && <em class="t-retries">retry {task.retry_count}</em>}
      </span>
      <span role="gridcell" class="t-words">
        <TreeWords task={task} about={node.about.value} open={row.open === true} />
      </span>
      <span role="gridcell" class="t-time">
        <Bar task={task} begin={begin} waits={node.about.value.waits} />
      </span>
      <span role="gridcell" class="t-took number">
        <Elapsed task={task} />
      </span>
      <span role="gridcell" class="t-open">
        {linked && (
          <Link to={runAddress(id)} aria-label={`Open the page of ${name}`} tabIndex={tabbable ? 0 : -1}>
            ↗
          </Link>
        )}
      </span>
      {task.status === "WAITING" && approval && Approval && (
        <span role="gridcell" class="t-ask">
          <Approval key={approval.key} taskId={id} approval={approval} />
        </span>
      )}
    </div>
  );
}

/** The pieces of a task's bar. They are drawn again when they change, not with the time: see OverTime. */
function Bar({ task, begin, waits }: { task: Task; begin: number; waits: TreeTask["waits"] }) {
  const pieces = piecesOf(task, begin, waits);
  const tone = taskTone(task);
  return useMemo(
    () => (
      <span class={`t-bar s-${tone}`} aria-hidden="true">
        {pieces.map(({ kind, from, to }, n) => (
          <i key={n} class={kind} style={{ "--b": String(from), "--e": to === null ? "var(--span)" : String(to) }} />
        ))}
      </span>
    ),
    [tone, JSON.stringify(pieces)],
  );
}
