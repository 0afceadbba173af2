import type { TrailEntry, TrailQuery } from "../client/account";
import { TRAIL_ADDRESS } from "./routes";
import { paramsOf, withQuery } from "./url";

const DAY = 86_400_000;

/** What can be looked at alone, in the words of the server and of the page. */
export const GROUPS: readonly { value: string; name: string }[] = [
  { value: "", name: "Everything" },
  { value: "runs", name: "Cancels and retries" },
  { value: "approvals", name: "Approvals" },
  { value: "sign_ins", name: "Sign-ins" },
  { value: "refusals", name: "Refusals" },
  { value: "keys", name: "API keys" },
  { value: "shares", name: "Shares" },
  { value: "webhooks", name: "Webhooks" },
  { value: "views", name: "Saved views" },
  { value: "operation", name: "Operation" },
  { value: "accounts", name: "Accounts" },
];

/** How far back the list goes. */
export const SPANS: readonly { value: string; name: string }[] = [
  { value: "", name: "Any time" },
  { value: "1d", name: "Last day" },
  { value: "7d", name: "Last 7 days" },
  { value: "30d", name: "Last 30 days" },
];

/** The filter of the trail, as it is in the address. */
export interface TrailFilter {
  action: string;
  /** The id of an account. */
  who: string;
  span: string;
  q: string;
}

/** Reads the filter of an address. A value that the filter does not know counts as not given. */
export function trailFilterOf(address: string): TrailFilter {
  const search = paramsOf(address);
  const known = (options: readonly { value: string }[], name: string): string =>
    options.find(({ value }) => value === search.get(name))?.value ?? "";
  const who = search.get("who") ?? "";
  return {
    action: known(GROUPS, "action"),
    who: /^[0-9a-f-]{36}$/i.test(who) ? who : "",
    span: known(SPANS, "time"),
    q: (search.get("q") ?? "").slice(0, 200),
  };
}

export function trailAddress({ action, who, span, q }: TrailFilter): string {
  const search = new URLSearchParams();
  if (action) search.set("action", action);
  if (who) search.set("who", who);
  if (span) search.set("time", span);
  if (q) search.set("q", q);
  return withQuery(TRAIL_ADDRESS, search);
}

/** Returns the filter as the server takes it: what bulk actions did to each run is left out, but found by a text. `now` in
 *  milliseconds. */
export function trailQueryOf({ action, who, span, q }: TrailFilter, now: number): TrailQuery {
  const days = Number.parseInt(span, 10);
  const from = days ? new Date(now - days * DAY).toISOString() : undefined;
  const text = q.trim().replace(/^#/, "");
  return { action, who, q: text, from, folded: text ? undefined : "true" };
}

const WORDS: Record<string, string> = {
  cancel: "cancelled",
  retry: "ran again",
  bulk_cancel: "cancelled",
  bulk_retry: "retried",
  approve: "approved",
  reject: "rejected",
  share_made: "shared",
  share_revoked: "ended a share of",
  key_made: "made the key",
  key_revoked: "revoked the key",
  sign_in: "signed in",
  sign_out: "signed out",
  account_made: "made the account",
  account_changed: "changed the account",
  account_closed: "closed the account",
  trial_set: "set the trial of",
  webhook_made: "made the webhook to",
  webhook_enabled: "enabled the webhook to",
  webhook_disabled: "paused the webhook to",
  webhook_removed: "removed the webhook to",
  view_made: "saved the view",
  view_changed: "changed the view",
  view_shared: "shared the view",
  view_unshared: "ended the sharing of the view",
  view_removed: "removed the view",
  pause: "paused the queue",
  resume: "resumed the queue",
  drain: "drained the worker",
  undrain: "took back the drain of the worker",
  announce: "announced to everybody",
};

const OUTCOMES: Record<string, string> = {
  unauthorized: "wrong password",
  too_many: "too many tries",
  forbidden: "no right to it",
  foreign: "not theirs",
  address: "an address that is not called",
};

/** Returns what was done, as the middle of a sentence. An action of a newer server is said by its own name. */
export function deedOf({ action, outcome }: TrailEntry): string {
  if (action === "refused") return "was not allowed";
  if (outcome !== "ok") return action === "sign_in" ? "could not sign in" : `${action} was refused`;
  return WORDS[action] ?? action.replaceAll("_", " ");
}

/** Whether it is the entry of a bulk action, which counts its runs. */
export const isBulk = ({ action }: TrailEntry): boolean => action === "bulk_cancel" || action === "bulk_retry";

/** Whether the run of the bulk action is of another tenant: those who read this entry, of an owner's runs, may not read it. */
export const isForeign = ({ owner_id, tenant }: TrailEntry): boolean => owner_id !== null && tenant !== null;

/** Returns why it was refused; null of a deed. */
export const refusalOf = ({ outcome }: TrailEntry): string | null =>
  outcome === "ok" ? null : (OUTCOMES[outcome] ?? outcome.replaceAll("_", " "));

/** Returns the name of who did it. */
export function doerOf({ user_name, user_id, note }: TrailEntry): string {
  if (user_name) return user_name;
  if (note.startsWith("share=")) return "Somebody with a shared link";
  return user_id ? "A removed account" : note === MANY ? "Several" : "Somebody unknown";
}

/** The note of refusals that were too many kinds to be counted apart. */
export const MANY = "of many kinds";

interface Day {
  /** Its first entry, for the heading. */
  at: string;
  entries: TrailEntry[];
}

/** Puts the entries of a day, in the zone of the reader, under one heading. */
export function daysOf(entries: readonly TrailEntry[]): Day[] {
  const days: Day[] = [];
  let name = "";
  for (const entry of entries) {
    const day = new Date(entry.at).toDateString();
    if (day !== name) days.push({ at: entry.at, entries: [] });
    days.at(-1)?.entries.push(entry);
    name = day;
  }
  return days;
}

const DATE = new Intl.DateTimeFormat("en", { weekday: "long", day: "numeric", month: "long", year: "numeric" });

/** "Today", "Yesterday", "Monday, November 30, 2026". `now` in milliseconds. */
export function dayName(at: string, now: number): string {
  const day = new Date(at).toDateString();
  if (day === new Date(now).toDateString()) return "Today";
  if (day === new Date(now - DAY).toDateString()) return "Yesterday";
  return DATE.format(new Date(at));
}
