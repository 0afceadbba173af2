import type { TrailEntry } from "../client/account";

/** What a call asks for, as the end of "was not allowed". `{}` is what it was about. */
const WORDS: Record<string, string> = {
  "POST tasks/*/cancel": "to cancel {}",
  "POST tasks/*/retry": "to run {} again",
  "POST tasks/*/approve": "to approve {}",
  "POST tasks/*/reject": "to reject {}",
  "POST tasks/*/events": "to report of {}",
  "POST tasks/bulk": "to change many runs",
  "GET tasks/*/shares": "to read the shares of {}",
  share_made: "to share {}",
  share_revoked: "to end a share of {}",
  "POST agent/start": "to start a run",
  "POST ai/artifact/generate": "to start a run",
  "POST events": "to report runs",
  "PUT queues/*/pause": "to pause {}",
  "DELETE queues/*/pause": "to resume {}",
  "PUT workers/*/drain": "to drain {}",
  "DELETE workers/*/drain": "to take back the drain of {}",
  "POST announcements": "to announce to everybody",
  key_made: "to make an API key",
  key_revoked: "to revoke an API key",
  "GET stream": "to follow runs",
  "POST webhooks": "to make a webhook",
  "POST webhooks/*/enable": "to enable a webhook",
  "POST webhooks/*/disable": "to pause a webhook",
  "POST webhooks/*/ping": "to try a webhook",
  "DELETE webhooks/*": "to remove a webhook",
  "POST views": "to save a view",
  "PUT views/*": "to change a view",
  "DELETE views/*": "to remove a view",
  "POST notifications/*/read": "to mark a notification as read",
  "POST notifications/read-all": "to mark notifications as read",
  "PUT notifications/choices": "to choose notifications",
  ticket: "to open a connection",
  refresh: "to stay signed in",
  "": "to make many calls",
  connect: "to open a connection",
  refresh_token: "to keep a connection open",
  join_task: "to follow a run",
  leave_task: "to leave a run",
  join_events: "to follow runs",
  leave_events: "to leave runs",
  join_notifications: "to get notifications",
  join_broadcast: "to get announcements",
  leave_broadcast: "to leave announcements",
};

/** What a call reads, by the first part of its address. */
const READ: Record<string, string> = {
  agent: "the runs that are open",
  events: "events",
  ai: "events",
  jobs: "the jobs",
  keys: "API keys",
  metrics: "the metrics",
  tasks: "the list of runs",
  trail: "the trail",
  views: "saved views",
};

const THINGS: Record<string, string> = { task: "a run", queue: "a queue", worker: "a worker" };

/** Returns what was refused: the words before and after the thing that it was about, and that thing. The words never have the
 *  names of the server for the parts of an address. */
export function refusedCall({ title, kind }: Pick<TrailEntry, "title" | "kind">): { before: string; thing: string; after: string } {
  const thing = THINGS[kind] ?? "";
  const call = title.replace(/^(\w+) \/(api\/v\d+\/)?/, "$1 ").replace(/<[^>]*>|{[^}]*}/g, "*").replace(/\/$/, "");
  const [, first] = /^GET (?:api\/)?([\w-]+)/.exec(call) ?? [];
  const read = first && (kind === "task" ? "to read {}" : `to read ${READ[first] ?? first.replaceAll("_", " ")}`);
  const [before = "", after = ""] = (WORDS[call] ?? read ?? `to call ${call.replaceAll("*", "…")}${thing && " of {}"}`).split("{}");
  return { before: before.trim(), thing, after: after.trim() };
}
