import type { ComponentChildren } from "preact";
import { useErrorBoundary } from "preact/hooks";
import { Problem } from "../client/problem";
import { Link } from "./link";
import { ProblemMessage } from "./problem-message";

/** Shows a message in place of a page that fails. Keyed by the address, so that the next page is drawn again. */
export function ErrorBoundary({ children }: { children: ComponentChildren }) {
  const [error] = useErrorBoundary((thrown: unknown) => console.error(thrown));
  if (error === undefined) return <>{children}</>;
  return (
    <main class="page">
      <ProblemMessage problem={new Problem(0, "This page has failed", "This page has failed. Your runs go on.")}>
        <p>
          <button type="button" onClick={() => location.reload()}>
            Reload
          </button>{" "}
          <Link to="/">All runs</Link>
        </p>
        <pre class="hint">{String(error)}</pre>
      </ProblemMessage>
    </main>
  );
}
