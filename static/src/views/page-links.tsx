import { address } from "../state/address";
import { JOBS_ADDRESS, type RouteName, routeOf, TRAIL_ADDRESS, WORKERS_ADDRESS } from "../state/routes";
import "../style/page-links.css";
import { Link } from "./link";

const PAGES: [RouteName, string, string][] = [
  ["runs", "/", "Runs"],
  ["jobs", JOBS_ADDRESS, "Jobs"],
  ["workers", WORKERS_ADDRESS, "Workers"],
  ["trail", TRAIL_ADDRESS, "Trail"],
];
/** Where a phone has no bar of pages: the log of a run needs the space. */
const OF_RUN: readonly (RouteName | undefined)[] = ["run", "compare"];

/** The pages of the team, in the header of a wide window. */
export const PageLinks = () => <Pages class="page-links" />;

/** The same at the lower edge of a phone, within reach of a thumb. */
export const PageBar = () => (OF_RUN.includes(routeOf(address.value)?.name) ? null : <Pages class="page-bar" />);

function Pages({ class: name }: { class: string }) {
  const at = routeOf(address.value)?.name;
  // The page of a job is one below that of all jobs.
  const current = (name: RouteName): "page" | "true" | undefined => (at === name ? "page" : at === "job" && name === "jobs" ? "true" : undefined);
  return (
    <nav class={name} aria-label="Pages">
      {PAGES.map(([name, to, text]) => (
        <Link key={name} to={to} aria-current={current(name)}>
          {text}
        </Link>
      ))}
    </nav>
  );
}
