import { useEffect, useRef } from "preact/hooks";
import type { LogLine } from "../client/types";
import { jsonOf } from "../state/log-json";
import type { LogView } from "../state/log-view";
import { LineText } from "./ansi";
import { Json } from "./json";

interface Props {
  line: LogLine;
  query: string;
  view: LogView;
}

/** A line that is JSON: its text, which opens into a tree in its place. */
export function JsonLine({ line, query, view }: Props) {
  const open = view.folds.opened.value.has(line.sequence);
  const tree = useRef<HTMLDivElement>(null);
  useEffect(() => {
    view.scroller?.draw();
    if (!tree.current) return;
    // Its parts open and close by themselves.
    const sizes = new ResizeObserver(() => view.scroller?.draw());
    sizes.observe(tree.current);
    return () => sizes.disconnect();
  }, [open]);
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
      {open ? (
        <div class="json-tree json" ref={tree}>
          <Json value={jsonOf(line)} />
        </div>
      ) : (
        <LineText line={line} query={query} />
      )}
    </>
  );
}
