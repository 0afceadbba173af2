import type { TaskFilter } from "../client/api";
import { STATUSES, type Status, type User } from "../client/types";

/** What the list of runs is narrowed to, as the address says it. */
export interface Filter {
  status: Status | null;
  job_type: string;
  q: string;
  scope: "mine" | "tenant";
}

/** Whether this account may see the runs of its tenant; the server says so too. */
export const readsTenant = (user: User): boolean => Boolean(user.tenant) && user.role !== "worker";

export function filterOf(address: string, user: User): Filter {
  const search = new URLSearchParams(address.split("?")[1] ?? "");
  return {
    status: STATUSES.find((status) => status === search.get("status")) ?? null,
    job_type: search.get("job_type") ?? "",
    q: (search.get("q") ?? "").slice(0, 200),
    scope: search.get("scope") === "tenant" && readsTenant(user) ? "tenant" : "mine",
  };
}

export function addressOf({ status, job_type, q, scope }: Filter): string {
  const search = new URLSearchParams();
  if (scope === "tenant") search.set("scope", scope);
  if (status) search.set("status", status);
  if (job_type) search.set("job_type", job_type);
  if (q) search.set("q", q);
  return search.size ? `/?${search}` : "/";
}

/** Whether the list holds every run of its scope. */
export const isWhole = ({ status, job_type, q }: Filter): boolean => !status && !job_type && !q;

export const queryOf = ({ status, job_type, q, scope }: Filter): TaskFilter => ({
  status: status ?? undefined,
  job_type,
  // "#" says that an id follows; the ids themselves have none.
  q: q.trim().replace(/^#/, ""),
  scope: scope === "tenant" ? "tenant" : undefined,
});
