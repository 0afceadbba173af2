import type { User } from "../client/types";
import { scopesOf, type Scope } from "../state/filter";
import "../style/list-filters.css";
import { Link } from "./link";

const NAMES: Record<Scope, string> = { mine: "Mine", tenant: "Team", all: "All" };

/** Whose runs: links, each a list of its own. Nothing for who sees only the own ones. */
export function ScopeLinks({ user, scope: chosen, to }: { user: User; scope: Scope; to: (scope: Scope) => string }) {
  const scopes = scopesOf(user);
  if (scopes.length === 1) return null;
  return (
    <nav class="scopes" aria-label="Whose">
      {scopes.map((scope) => (
        <Link key={scope} to={to(scope)} {...(scope === chosen ? { "aria-current": "true" as const } : {})}>
          {NAMES[scope]}
        </Link>
      ))}
    </nav>
  );
}
