import { ProblemMessage } from "./problem-message";
import { useCall } from "./use-call";

/** A button for a call to the server: disabled while the call runs, with its error beside it. */
export function Action(props: { name: string; class?: string; run: () => Promise<unknown> }) {
  const { busy, problem, run } = useCall();
  return (
    <>
      {problem && <ProblemMessage problem={problem} />}
      <button type="button" class={props.class} disabled={busy} onClick={() => run(props.run)}>
        {props.name}
      </button>
    </>
  );
}
