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

/** The pages of the team, in the header; where there is no space the menu of the user has them. */
export function PageLinks() {
  const at = routeOf(address.value)?.name;
  return (
    <nav class="page-links" aria-label="Pages">
      {PAGES.map(([name, to, text]) => (
        <Link key={name} to={to} aria-current={at === name ? "page" : undefined}>
          {text}
        </Link>
      ))}
    </nav>
  );
}
