import { useEffect, useRef } from "preact/hooks";
import type { LogLine } from "../client/types";
import { Lazy } from "../state/lazy";
import { jsonOf } from "../state/log-json";
import type { LogView } from "../state/log-view";
import { LineText } from "./ansi";

const code = new Lazy(async () => (await import("./json")).Json);

interface Props {
  line: LogLine;
  query: string;
  view: LogView;
}

/** A line that is JSON: its text, which opens into a tree in its place. */
export function JsonLine({ line, query, view }: Props) {
  const open = view.folds.opened.value.has(line.sequence);
  const Tree = open ? code.value.value : null;
  const tree = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (open) void code.load();
  }, [open]);
  useEffect(() => {
    view.scroller?.draw();
    if (!tree.current) return;
    // Its parts open and close by themselves.
    const sizes = new ResizeObserver(() => view.scroller?.draw());
    sizes.observe(tree.current);
    return () => sizes.disconnect();
  }, [Tree]);
  return (
    <>
      <button
        type="button"
        class="json-toggle"
        aria-expanded={open}
        aria-label={open ? "Show as text" : "Show as a tree"}
        onClick={() => view.folds.toggleJson(line.sequence)}
      >
        {"{ }"}
      </button>
      {Tree ? (
        <div class="json-tree json" ref={tree}>
          <Tree value={jsonOf(line)} />
        </div>
      ) : (
        <LineText line={line} query={query} />
      )}
    </>
  );
}
