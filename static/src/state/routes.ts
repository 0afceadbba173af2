import { jobPath } from "../client/jobStats";
import { ownPath, pathOf } from "./url";

/** The pages of the dashboard by their paths; app/http/dashboard.py serves the same ones. pages.ts has their views. */
const ROUTES = {
  runs: /^\/$/,
  run: /^\/runs\/([\w-]+)\/?$/,
  compare: /^\/runs\/([\w-]+)\/compare\/?$/,
  jobs: /^\/jobs\/?$/,
  job: /^\/jobs\/(.+?)\/?$/,
  settings: /^\/settings\/(keys|notifications|webhooks)\/?$/,
  trail: /^\/trail\/?$/,
  workers: /^\/workers\/?$/,
  login: /^\/login$/,
};

export type RouteName = keyof typeof ROUTES;

interface Route {
  name: RouteName;
  /** The variable part of the path. */
  id: string;
}

/** Finds the page of an address; null: there is none. */
export function routeOf(at: string): Route | null {
  for (const [name, pattern] of Object.entries(ROUTES)) {
    const found = pattern.exec(pathOf(at));
    const id = found && decoded(found[1] ?? "");
    if (found && id !== null) return { name: name as RouteName, id };
  }
  return null;
}

/** Null for what is no text in UTF-8. */
function decoded(part: string): string | null {
  try {
    return decodeURIComponent(part);
  } catch {
    return null;
  }
}

export const runAddress = (taskId: string): string => `/runs/${encodeURIComponent(taskId)}`;

/** The page that puts a run beside another one; without `other` the page chooses it. */
export const compareAddress = (taskId: string, other = ""): string =>
  `${runAddress(taskId)}/compare${other && `?with=${encodeURIComponent(other)}`}`;

export const jobAddress = (jobType: string): string => `/jobs/${jobPath(jobType)}`;

export const JOBS_ADDRESS = "/jobs";
export const WORKERS_ADDRESS = "/workers";

export const KEYS_ADDRESS = "/settings/keys";
export const NOTICES_ADDRESS = "/settings/notifications";
export const WEBHOOKS_ADDRESS = "/settings/webhooks";
export const TRAIL_ADDRESS = "/trail";

/** The part of the page of API keys that says how tasks that exist already become runs. */
export const WAYS_IN_HASH = "ways-in";

export const loginAddress = (next: string): string => `/login?next=${encodeURIComponent(next)}`;

/** Returns where to go after signing in: a path of this origin only, because a crafted link must not lead elsewhere. */
export function safeNext(next: string | null): string {
  const path = next ? ownPath(next) : null;
  return !path || routeOf(path)?.name === "login" ? "/" : path;
}
