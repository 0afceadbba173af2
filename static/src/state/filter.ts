import type { TaskFilter } from "../client/taskLists";
import { STATUSES, type Status, type User } from "../client/types";
import { boundsOf, isTime, TIMES, type TimeName } from "./list-times";
import { paramsOf, withQuery } from "./url";

export type Scope = "mine" | "tenant" | "all";

/** The filter of the list of runs, as it is in the address. */
export interface RunFilter {
  status: Status | null;
  /** Only those that wait for approval, or have a step that does. */
  approval: boolean;
  job_type: string;
  q: string;
  scope: Scope;
  /** The id of the user whose runs alone are listed; "" for any. */
  who: string;
  /** The time before now that is looked at; "" for any. */
  time: TimeName | "";
  /** A time that was chosen within it, RFC 3339; "" where none was. */
  from: string;
  to: string;
  /** Only those that failed or have errors. */
  errors: boolean;
  /** How long ended runs took, in seconds; "" for any. */
  min_seconds: string;
  max_seconds: string;
  /** Whether steps are listed by themselves; else they are folded under their parent. */
  steps: boolean;
}

export const NO_FILTER: RunFilter = {
  status: null,
  approval: false,
  job_type: "",
  q: "",
  scope: "mine",
  who: "",
  time: "",
  from: "",
  to: "",
  errors: false,
  min_seconds: "",
  max_seconds: "",
  steps: false,
};

/** How many filters are set, without the status and the text. */
export const filtersSet = ({ job_type, who, time, from, to, min_seconds, max_seconds, errors, steps }: RunFilter): number =>
  [job_type, who, time || from || to, min_seconds || max_seconds, errors, steps].filter(Boolean).length;

const SECONDS = /^\d{1,9}(\.\d{1,3})?$/;
const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Whether the user may see the runs of the tenant; the server checks it again. */
export const readsTenant = (user: User): boolean => Boolean(user.tenant) && user.role !== "worker";

/** The scopes that the user may see, the smallest first. */
export const scopesOf = (user: User): Scope[] => [
  "mine",
  ...(readsTenant(user) ? ["tenant" as const] : []),
  ...(user.role === "global_admin" ? ["all" as const] : []),
];

/** Returns the scope that an address names and the user may not see; null where there is none. */
export function hiddenScopeOf(address: string, user: User): Exclude<Scope, "mine"> | null {
  const named = paramsOf(address).get("scope");
  const scope = named === "tenant" || named === "all" ? named : null;
  return scope && !scopesOf(user).includes(scope) ? scope : null;
}

/** Reads the filter of an address. A value that the filter does not know counts as not given. */
export function filterOf(address: string, user: User): RunFilter {
  const search = paramsOf(address);
  const text = (name: string, pattern: RegExp): string => (pattern.test(search.get(name) ?? "") ? (search.get(name) as string) : "");
  const time = (name: string): string => (isTime(search.get(name)) ? (search.get(name) as string) : "");
  return {
    status: STATUSES.find((status) => status === search.get("status")) ?? null,
    approval: search.get("approval") === "true",
    job_type: search.get("job_type") ?? "",
    q: (search.get("q") ?? "").slice(0, 200),
    scope: scopesOf(user).find((scope) => scope === search.get("scope")) ?? "mine",
    who: text("who", ID),
    time: TIMES.find(({ value }) => value === search.get("time"))?.value ?? "",
    from: time("from"),
    to: time("to"),
    errors: search.get("errors") === "true",
    min_seconds: text("min_seconds", SECONDS),
    max_seconds: text("max_seconds", SECONDS),
    steps: search.get("steps") === "true",
  };
}

export function listAddress(filter: Partial<RunFilter>): string {
  const search = new URLSearchParams();
  const { scope = "mine", ...rest } = filter;
  if (scope !== "mine") search.set("scope", scope);
  for (const name of Object.keys(NO_FILTER) as (keyof RunFilter)[]) {
    const value = rest[name as keyof typeof rest];
    if (value) search.set(name, String(value));
  }
  return withQuery("/", search);
}

/** Whether the list holds every run of its scope, its steps folded or not. */
export const isUnfiltered = (filter: RunFilter): boolean =>
  listAddress({ ...filter, scope: "mine", steps: false }) === listAddress(NO_FILTER);

/** Whether steps are folded under their parent: a search finds them too. */
export const folds = ({ steps, q }: RunFilter): boolean => !steps && !q;

/** Returns the filter as the server takes it, at this time. */
export function taskFilterOf(filter: RunFilter, now = Date.now()): TaskFilter {
  const { status, approval, job_type, q, scope, who, errors, min_seconds, max_seconds } = filter;
  return {
    status: status ?? undefined,
    approval: approval || undefined,
    job_type,
    // "#" marks an id; it is no part of the id.
    q: q.trim().replace(/^#/, ""),
    scope: scope === "mine" ? undefined : scope,
    who: scope === "mine" ? undefined : who,
    ...boundsOf(filter, now),
    errors: errors || undefined,
    min_seconds,
    max_seconds,
    top: folds(filter) || undefined,
  };
}
