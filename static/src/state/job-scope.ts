import type { User } from "../client/types";
import { scopesOf, type Scope } from "./filter";

/** Returns whose runs the pages of jobs are about: as the address says, else as they do by themselves. */
export function jobScopeOf(asked: string | null, user: User): Scope {
  const wanted = asked === "own" ? "mine" : asked;
  return scopesOf(user).find((scope) => scope === wanted) ?? jobScope(user);
}

/** What the pages of jobs show by themselves: the team's runs, of an admin of all tenants without one all, else the own ones.
 *  An address does not say it. */
export const jobScope = (user: User): Scope => scopesOf(user)[1] ?? "mine";

/** As the server names it. */
export const serverScope = (scope: Scope): "own" | "tenant" | "all" => (scope === "mine" ? "own" : scope);
