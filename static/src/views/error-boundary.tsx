import type { ComponentChildren } from "preact";
import { useErrorBoundary } from "preact/hooks";
import { Trouble } from "./problem-message";
import { Problem } from "../client/problem";
import { Link } from "./link";

/** A page that fails says so instead of leaving nothing. Keyed by the address, so that another page begins anew. */
export function Boundary({ children }: { children: ComponentChildren }) {
  const [error] = useErrorBoundary((thrown: unknown) => console.error(thrown));
  if (error === undefined) return <>{children}</>;
  return (
    <main class="page">
      <Trouble problem={new Problem(0, "This page has failed", "This page has failed. Your runs go on.")}>
        <p>
          <button type="button" onClick={() => location.reload()}>
            Reload
          </button>{" "}
          <Link to="/">All runs</Link>
        </p>
        <pre class="hint">{String(error)}</pre>
      </Trouble>
    </main>
  );
}
