import { useEffect } from "preact/hooks";
import { listAddress, type Scope } from "../state/filter";
import { Link } from "./link";
import { Shell } from "./shell";

const WHOSE: Record<Exclude<Scope, "mine">, string> = { tenant: "a team", all: "all tenants" };

/** In place of the list: the reader may not see the runs that the address names. */
export function HiddenRuns({ scope }: { scope: keyof typeof WHOSE }) {
  useEffect(() => void (document.title = "Runs · Taskroom"), []);
  return (
    <Shell>
      <main class="runs-page">
        <p class="empty">
          You may not see the runs of {WHOSE[scope]}. <Link to={listAddress({})}>Show your own runs</Link>
        </p>
      </main>
    </Shell>
  );
}
