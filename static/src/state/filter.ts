import type { TaskFilter } from "../client/api";
import { STATUSES, type Status, type User } from "../client/types";
import { paramsOf, withQuery } from "./url";

/** The filter of the list of runs, as it is in the address. */
export interface RunFilter {
  status: Status | null;
  job_type: string;
  q: string;
  scope: "mine" | "tenant";
}

/** Whether the user may see the runs of the tenant; the server checks it again. */
export const readsTenant = (user: User): boolean => Boolean(user.tenant) && user.role !== "worker";

/** Reads the filter of an address. A value that the filter does not know counts as not given. */
export function filterOf(address: string, user: User): RunFilter {
  const search = paramsOf(address);
  return {
    status: STATUSES.find((status) => status === search.get("status")) ?? null,
    job_type: search.get("job_type") ?? "",
    q: (search.get("q") ?? "").slice(0, 200),
    scope: search.get("scope") === "tenant" && readsTenant(user) ? "tenant" : "mine",
  };
}

export function listAddress({ status, job_type, q, scope }: RunFilter): string {
  const search = new URLSearchParams();
  if (scope === "tenant") search.set("scope", scope);
  if (status) search.set("status", status);
  if (job_type) search.set("job_type", job_type);
  if (q) search.set("q", q);
  return withQuery("/", search);
}

/** Whether the list holds every run of its scope. */
export const isUnfiltered = ({ status, job_type, q }: RunFilter): boolean => !status && !job_type && !q;

/** Returns the filter as the server takes it. */
export const taskFilterOf = ({ status, job_type, q, scope }: RunFilter): TaskFilter => ({
  status: status ?? undefined,
  job_type,
  // "#" marks an id; it is no part of the id.
  q: q.trim().replace(/^#/, ""),
  scope: scope === "tenant" ? "tenant" : undefined,
});
