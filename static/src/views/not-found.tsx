import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { Link } from "./link";
import { BarPicture } from "./phase-bar";
import { Shell } from "./shell";

interface Props {
  /** What there is none of. */
  what?: string;
  heading?: string;
  children?: ComponentChildren;
}

const NOTHING = [
  { phase_id: "a", state: "done", share: 0.3, done: 1, errors: 0 },
  { phase_id: "b", state: "not reached", share: 0.7, done: 0, errors: 0 },
] as const;

/** In place of a page that there is not, or that cannot be shown. */
export function NotFound({ what = "page", heading = `There is no such ${what}`, children }: Props) {
  useEffect(() => {
    document.title = "Not found · Taskroom";
  }, []);
  return (
    <Shell>
      <main class="page missing">
        <BarPicture segments={NOTHING} />
        <h1>{heading}</h1>
        <p>{children ?? "The address may be mistyped, or what it led to has moved."}</p>
        <p>
          <Link to="/">All runs</Link>
        </p>
      </main>
    </Shell>
  );
}
