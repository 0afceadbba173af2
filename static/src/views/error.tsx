import type { TaskError } from "../client/types";
import { traceback } from "../state/traceback";
import { Copy } from "./copy";

/** What went wrong: the error first, then where, with the calls within libraries folded away. */
export function ErrorPanel({ error }: { error: TaskError }) {
  const text = error.traceback || `${error.type}: ${error.message}`;
  return (
    <div class="panel">
      <div class="panel-tools">
        <Copy text={text} label="Copy the error">
          Copy
        </Copy>
      </div>
      <p class="error-says">
        <strong class="s-fail">{error.type}</strong> {error.message}
      </p>
      {error.traceback &&
        traceback(error.traceback).map(({ folded, text, calls }, index) =>
          folded ? (
            <details class="calls" key={index}>
              <summary>
                {calls} {calls === 1 ? "call" : "calls"} in libraries
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
