import { useComputed, useSignal } from "@preact/signals";
import { useEffect, useMemo, useState } from "preact/hooks";
import type { TaskState } from "../client/types";
import { chooseStep } from "../state/chosen-step";
import { moved, outline, stepsOf, type OutlineRow, type Toggled } from "../state/outline";
import { ORCHESTRATE } from "../state/phases";
import { axisOf } from "../state/spans";
import type { Tree } from "../state/tree";
import "../style/tree.css";
import "../style/tree-rows.css";
import "../style/tree-narrow.css";
import { ProblemMessage } from "./problem-message";
import { StepLog } from "./step-log";
import { OverTime } from "./tree-axis";
import type { TreeHost } from "./tree-host";
import { OtherRow } from "./tree-other-row";
import { TreeRow } from "./tree-row";

/** In a longer list failed ones are hard to find. */
const MANY = 20;

export interface TreeProps {
  host: TreeHost;
  state: TaskState;
  tree: Tree;
  /** The step whose log is shown beside the tree. */
  chosen: string | null;
  /** Whether events come live. */
  live: boolean;
}

/** The tasks below a run as an outline over one time axis, and beside it the log of the chosen one. */
export function TreePanel({ host, state, tree, chosen, live }: TreeProps) {
  const [onlyFailed, choose] = useState(false);
  const failed = useMemo(() => (onlyFailed ? tree.onlyFailed() : null), [tree, onlyFailed]);
  useEffect(() => void failed?.load(), [failed, tree.below.value?.failed]);
  useEffect(() => () => failed?.stop(), [failed]);
  const offers = onlyFailed || (Boolean(tree.below.value?.failed) && (tree.tasks.value.length > MANY || tree.hasMore(tree.rootId)));
  return (
    <div class={chosen ? "tree-panel divided" : "tree-panel"}>
      <div class="tree-box">
        {offers && (
          <div class="tree-tools">
            <button type="button" class="tool" aria-pressed={onlyFailed} onClick={() => choose(!onlyFailed)}>
              Only failed
            </button>
          </div>
        )}
        <Outline key={String(onlyFailed)} host={host} state={state} tree={failed ?? tree} ahead={!onlyFailed} chosen={chosen} />
      </div>
      {chosen && <StepLog key={chosen} host={host} taskId={chosen} live={live} close={() => close(chosen)} />}
    </div>
  );
}

const rowOf = (key: string): HTMLElement | null => document.querySelector(`[data-row=${CSS.escape(key)}]`);

function close(taskId: string): void {
  chooseStep(null);
  rowOf(taskId)?.focus();
}

const NOTHING_AHEAD = { steps: null, ahead: null };

interface OutlineProps extends Omit<TreeProps, "live"> {
  /** Whether steps that have not begun are shown. */
  ahead: boolean;
}

function Outline({ host, state: { task }, tree, ahead, chosen }: OutlineProps) {
  const toggled = useSignal<Toggled>(new Map());
  const active = useSignal<string | null>(null);
  const root = useSignal(task);
  root.value = task;
  const rows = useComputed(() => outline(tree, { task: root.value, ...(ahead ? { steps: stepsOf(root.value, ORCHESTRATE), ahead: tree.ahead.value } : NOTHING_AHEAD) }, toggled.value));
  const shown = useComputed(() => rows.value.flatMap((row) => (row.kind === "task" ? row.id : [])));
  const axis = useComputed(() => axisOf(root.value, shown.value.map((id) => tree.nodes.get(id)!.row.value.task)));
  useEffect(() => tree.shown(shown.value), [tree, shown.value]);

  const open = (id: string, wanted: boolean): void => {
    toggled.value = new Map(toggled.value).set(id, wanted);
    if (wanted && tree.idsOf(id).length === 0) void tree.more(id);
  };
  const focus = (key: string): void => {
    active.value = key;
    rowOf(key)?.focus();
  };
  const press = (event: KeyboardEvent): void => {
    const target = event.target as HTMLElement;
    // A button in the row has keys of its own.
    if (target.getAttribute("role") !== "row" || event.ctrlKey || event.metaKey || event.altKey) return;
    const list = rows.value;
    const at = list.findIndex(({ key }) => key === target.dataset.row);
    const to = moved(list, at, event.key);
    if (to === null) return;
    event.preventDefault();
    if (typeof to === "number") focus(list[to]!.key);
    else open(to.toggle, to.open);
  };
  const { problem } = tree;
  const list = rows.value;
  const first = list.some(({ key }) => key === active.value) ? active.value : (list.find(({ key }) => key === chosen) ?? list[0])?.key;
  return (
    <>
      {problem.value && <ProblemMessage problem={problem.value}> What is shown is what was last known.</ProblemMessage>}
      <OverTime noun={task.job_type === ORCHESTRATE ? "Step" : "Task"} axis={axis.value} press={press}>
        <div role="rowgroup" onFocusCapture={(event) => (active.value = rowKey(event) ?? active.value)}>
          {list.map((row) => (
            <AnyRow
              key={row.key}
              {...{ host, row, tree, open }}
              begin={axis.value.from}
              chosen={chosen === row.key}
              tabbable={row.key === first}
            />
          ))}
        </div>
      </OverTime>
      {tree.loaded.value && list.length === 0 && <p class="hint panel">None has begun.</p>}
    </>
  );
}

const rowKey = (event: FocusEvent): string | null => (event.target as HTMLElement).closest<HTMLElement>("[data-row]")?.dataset.row ?? null;

interface RowProps {
  host: TreeHost;
  row: OutlineRow;
  tree: Tree;
  begin: number;
  chosen: boolean;
  tabbable: boolean;
  open: (id: string, wanted: boolean) => void;
}

function AnyRow({ row, tree, ...rest }: RowProps) {
  if (row.kind !== "task") return <OtherRow row={row} tree={tree} tabbable={rest.tabbable} />;
  return <TreeRow row={row} node={tree.nodes.get(row.id)!} {...rest} />;
}
