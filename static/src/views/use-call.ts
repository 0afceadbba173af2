import { useState } from "preact/hooks";
import { Problem } from "../client/problem";

export interface Call {
  busy: boolean;
  problem: Problem | null;
  run(what: () => Promise<unknown>): void;
}

/** Runs calls to the server, one at a time, and keeps why the last one failed. */
export function useCall(): Call {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const run = (what: () => Promise<unknown>): void => {
    setBusy(true);
    setProblem(null);
    what()
      .catch((error: unknown) => setProblem(Problem.of(error)))
      .finally(() => setBusy(false));
  };
  return { busy, problem, run };
}
