import type { User } from "../client/types";
import { readsTenant, scopesOf, type Scope } from "./filter";

/** Returns whose runs the pages of jobs are about: as the address says, else those of the team where the user sees them. */
export function jobScopeOf(asked: string | null, user: User): Scope {
  const wanted = asked === "own" ? "mine" : asked;
  return scopesOf(user).find((scope) => scope === wanted) ?? jobScope(user);
}

/** What the pages of jobs show of themselves; an address does not say it. */
export const jobScope = (user: User): Scope => (readsTenant(user) ? "tenant" : "mine");

/** As the server names it. */
export const serverScope = (scope: Scope): "own" | "tenant" | "all" => (scope === "mine" ? "own" : scope);
