import type { Problem } from "../client/problem";
import { ProblemMessage } from "./problem-message";

/** In place of a run, or of several, that could not be loaded several times; the page goes on trying. */
export const NotLoaded = ({ problem, heading = "This run cannot be loaded now" }: { problem: Problem; heading?: string }) => (
  <main class="page missing">
    <h1>{heading}</h1>
    <ProblemMessage problem={problem}> Trying again.</ProblemMessage>
  </main>
);
