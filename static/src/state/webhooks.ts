import { signal } from "@preact/signals";
import type { NewWebhook, Webhook, WebhookBody } from "../client/account";
import type { AccountApi } from "../client/accountApi";
import { Problem } from "../client/problem";

/** The events that are offered, with what each means. Others can be chosen by the API. */
export const OFFERED: readonly (readonly [type: string, words: string])[] = [
  ["task_completed", "A run has ended"],
  ["approval_needed", "A run waits for approval"],
  ["approval_decided", "An approval was given or refused"],
  ["notification", "What the bell shows"],
  ["task_created", "A run was started"],
  ["status_changed", "A run has another status"],
];

type Calls = Pick<AccountApi, "webhooks" | "makeWebhook" | "removeWebhook" | "enableWebhook">;

/** The user's webhooks, and the one that was made last: only here can its secret be seen. */
export class Webhooks {
  readonly rows = signal<readonly Webhook[] | null>(null);
  readonly problem = signal<Problem | null>(null);
  readonly made = signal<NewWebhook | null>(null);

  constructor(private readonly api: Calls) {}

  async load(): Promise<void> {
    try {
      this.rows.value = await this.api.webhooks();
      this.problem.value = null;
    } catch (error) {
      this.problem.value = Problem.of(error);
    }
  }

  /** Throws Problem. */
  async make(body: WebhookBody): Promise<void> {
    this.made.value = await this.api.makeWebhook(body);
    await this.load();
  }

  /** Throws Problem. */
  async enable(id: string, enabled: boolean): Promise<void> {
    const changed = await this.api.enableWebhook(id, enabled);
    this.rows.value = this.rows.value?.map((row) => (row.id === id ? changed : row)) ?? null;
  }

  /** Throws Problem. A webhook that was removed elsewhere is gone too. */
  async remove(id: string): Promise<void> {
    try {
      await this.api.removeWebhook(id);
    } catch (error) {
      if (Problem.of(error).status !== 404) throw error;
    }
    if (this.made.value?.id === id) this.made.value = null;
    this.rows.value = this.rows.value?.filter((row) => row.id !== id) ?? null;
  }
}
