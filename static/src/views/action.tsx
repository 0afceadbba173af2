import { useState } from "preact/hooks";
import { Problem } from "../client/problem";
import { Trouble } from "./problem-message";

/** A button for a call to the server: off while it runs, its error beside it. */
export function Action(props: { name: string; class?: string; run: () => Promise<unknown> }) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const click = async (): Promise<void> => {
    setBusy(true);
    setProblem(null);
    try {
      await props.run();
    } catch (error) {
      setProblem(Problem.of(error));
    }
    setBusy(false);
  };
  return (
    <>
      {problem && <Trouble problem={problem} />}
      <button type="button" class={props.class} disabled={busy} onClick={() => void click()}>
        {props.name}
      </button>
    </>
  );
}
