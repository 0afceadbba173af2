import type { Problem } from "../client/problem";
import { ProblemMessage } from "./problem-message";

/** In place of a run that could not be loaded several times; the page goes on trying. */
export const NotLoaded = ({ problem }: { problem: Problem }) => (
  <main class="page missing">
    <h1>This run cannot be loaded now</h1>
    <ProblemMessage problem={problem}> Trying again.</ProblemMessage>
  </main>
);
