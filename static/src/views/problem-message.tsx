import type { ComponentChildren } from "preact";
import type { Problem } from "../client/problem";

/** What has gone wrong, and what to do. The detail is a sentence; the title, without one, names only the kind of problem. */
export function ProblemMessage({ problem, children }: { problem: Problem; children?: ComponentChildren }) {
  const text = problem.detail || problem.title;
  return (
    <div class="problem" role="alert">
      <strong>{/[.!?]$/.test(text) ? text : `${text}.`}</strong>
      {children}
    </div>
  );
}
