import { signal } from "@preact/signals";
import type { Api, KeyBody } from "../client/api";
import { Problem } from "../client/problem";
import { SCOPES, type ApiKey, type NewApiKey, type Scope } from "../client/apiKeys";
import { type User } from "../client/types";

const DAY = 86_400;

/** How long a new key may be valid: the words and the seconds. */
export const LIFETIMES: readonly (readonly [string, number | null])[] = [
  ["Never", null],
  ["In 7 days", 7 * DAY],
  ["In 30 days", 30 * DAY],
  ["In 90 days", 90 * DAY],
  ["In a year", 365 * DAY],
];

export const SCOPE_WORDS: Record<Scope, string> = {
  report: "Report runs and what happens in them",
  read: "Read runs, logs and notifications",
  start: "Start runs",
  act: "Cancel, run again, approve and reject; mark notifications as read",
};

/** The scopes that are of use to the user: a viewer may only read. */
export const scopesFor = (user: User): readonly Scope[] => (user.role === "viewer" ? ["read"] : SCOPES);

/** Whether the user may make a key that reports runs. */
export const mayReport = (user: User): boolean => scopesFor(user).includes("report");

/** The scopes that a new key has unless others are chosen. */
export const usualScopes = (user: User): readonly Scope[] =>
  scopesFor(user).filter((scope) => scope === "report" || scope === "read");

/** Whether the user may see and revoke the keys of its tenant. */
export const seesTenantKeys = (user: User): boolean =>
  user.tenant !== null && (user.role === "admin" || user.role === "global_admin");

/** Whether the key is of no more use. `now` in milliseconds. */
export const hasExpired = (key: ApiKey, now: number): boolean =>
  key.expires_at !== null && Date.parse(key.expires_at) <= now;

/** The list of API keys, of the user or of its tenant, and the key that was made last: only here can it be seen. */
export class ApiKeys {
  readonly rows = signal<readonly ApiKey[] | null>(null);
  readonly problem = signal<Problem | null>(null);
  readonly scope = signal<"own" | "tenant">("own");
  readonly made = signal<NewApiKey | null>(null);
  /** The cursor of the keys that are not loaded yet. */
  readonly next = signal<string | null>(null);
  /** Counts lists, so that a late answer about the one before changes nothing. */
  private list = 0;

  constructor(private readonly api: Pick<Api, "keys" | "makeKey" | "revokeKey">) {}

  /** Loads the list from its beginning. */
  async load(scope = this.scope.value): Promise<void> {
    const list = ++this.list;
    this.scope.value = scope;
    await this.take(list, undefined, () => []);
  }

  /** Loads the next page. */
  async more(): Promise<void> {
    await this.take(this.list, this.next.value ?? undefined, () => this.rows.value ?? []);
  }

  /** Throws Problem. */
  async make(body: KeyBody): Promise<void> {
    this.made.value = await this.api.makeKey(body);
    await this.load();
  }

  /** Throws Problem. A key that somebody else has revoked meanwhile is gone too. */
  async revoke(id: string): Promise<void> {
    try {
      await this.api.revokeKey(id);
    } catch (error) {
      if (Problem.of(error).status !== 404) throw error;
    }
    if (this.made.value?.id === id) this.made.value = null;
    this.rows.value = this.rows.value?.filter((row) => row.id !== id) ?? null;
  }

  private async take(list: number, cursor: string | undefined, before: () => readonly ApiKey[]): Promise<void> {
    try {
      const page = await this.api.keys(this.scope.value, cursor);
      if (list !== this.list) return;
      this.rows.value = [...before(), ...page.keys];
      this.next.value = page.next;
      this.problem.value = null;
    } catch (error) {
      if (list !== this.list) return;
      const problem = Problem.of(error);
      if (problem.isWrongCursor) return await this.load();
      this.problem.value = problem;
    }
  }
}
