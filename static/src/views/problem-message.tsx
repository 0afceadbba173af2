import type { ComponentChildren } from "preact";
import type { Problem } from "../client/problem";

/** What happened, and one thing to do. The detail is the sentence; a title alone only names the kind. */
export function Trouble({ problem, children }: { problem: Problem; children?: ComponentChildren }) {
  const text = problem.detail || problem.title;
  return (
    <div class="trouble" role="alert">
      <strong>{/[.!?]$/.test(text) ? text : `${text}.`}</strong>
      {children}
    </div>
  );
}
