import { quantity } from "../state/format";
import { traceback } from "../state/traceback";

/** A traceback with the calls within libraries folded. */
export const Traceback = ({ text }: { text: string }) => (
  <>
    {traceback(text).map(({ folded, text, calls }, index) =>
      folded ? (
        <details class="calls" key={index}>
          <summary>{quantity(calls, "call")} in libraries</summary>
          <pre>{text}</pre>
        </details>
      ) : (
        <pre key={index}>{text}</pre>
      ),
    )}
  </>
);
