import type { TaskError } from "../client/types";
import { quantity } from "../state/format";
import { traceback } from "../state/traceback";
import { Copy } from "./copy";

/** The error of a run, and its traceback with the calls within libraries folded. */
export function ErrorPanel({ error }: { error: TaskError }) {
  const text = error.traceback || `${error.type}: ${error.message}`;
  return (
    <div class="panel">
      <div class="panel-tools">
        <Copy text={text} label="Copy the error">
          Copy
        </Copy>
      </div>
      <p class="error-text">
        <strong class="s-fail">{error.type}</strong> {error.message}
      </p>
      {error.traceback &&
        traceback(error.traceback).map(({ folded, text, calls }, index) =>
          folded ? (
            <details class="calls" key={index}>
              <summary>
                {quantity(calls, "call")} in libraries
              </summary>
              <pre>{text}</pre>
            </details>
          ) : (
            <pre key={index}>{text}</pre>
          ),
        )}
    </div>
  );
}
