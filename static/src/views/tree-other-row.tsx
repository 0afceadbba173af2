import { useState } from "preact/hooks";
import { count, quantity } from "../state/format";
import type { MoreRow, PlannedRow } from "../state/outline";
import type { Tree } from "../state/tree";
import { PhaseMark } from "./marks";

/** A row that is no task: a step that has not begun, or the children that are not loaded yet. */
export function OtherRow({ row, tree, tabbable }: { row: PlannedRow | MoreRow; tree: Tree; tabbable: boolean }) {
  return (
    <div
      class={`tree-row ${row.kind}`}
      role="row"
      data-row={row.key}
      aria-level={row.level}
      aria-posinset={row.position}
      aria-setsize={row.size}
      tabIndex={tabbable ? 0 : -1}
      style={{ "--level": String(row.level) }}
    >
      {row.kind === "planned" ? <Planned row={row} /> : <More row={row} tree={tree} />}
    </div>
  );
}

const Planned = ({ row: { name, reached, says } }: { row: PlannedRow }) => (
  <>
    <span role="gridcell" class="t-name">
      <span class="t-toggle" />
      <PhaseMark state={reached ? "not begun" : "not reached"} />
      <b title={name}>{name}</b>
    </span>
    <span role="gridcell" class="t-words">
      {says}
    </span>
    <span role="gridcell" class="t-time" />
  </>
);

function More({ row: { parent, shown, total }, tree }: { row: MoreRow; tree: Tree }) {
  const [busy, setBusy] = useState(false);
  const load = (): void => {
    setBusy(true);
    void tree.more(parent).finally(() => setBusy(false));
  };
  const left = total === null ? "more" : quantity(total - shown, "more task").replace(/^(\S+) more task.*/, "$1 more");
  return (
    <span role="gridcell" class="t-name">
      <span class="t-toggle" />
      <button type="button" class="plain" disabled={busy} onClick={load}>
        Show {left}
      </button>
      <em>{count(shown)} shown</em>
    </span>
  );
}
