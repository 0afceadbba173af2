import { Problem } from "../client/problem";
import { ProblemMessage } from "./problem-message";

/** While a part of the code is loaded. */
export const Loading = () => (
  <main class="page late" aria-busy="true">
    Loading.
  </main>
);

/** When it cannot be loaded: asking for the same file again would not help. */
export const NoCode = () => (
  <main class="page">
    <ProblemMessage problem={new Problem(0, "This page could not be loaded")}>
      {" "}
      The server does not answer, or has a new version.{" "}
      <button type="button" class="plain" onClick={() => location.reload()}>
        Reload
      </button>
    </ProblemMessage>
  </main>
);
