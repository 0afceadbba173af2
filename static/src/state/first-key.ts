import { signal, type Signal } from "@preact/signals";
import type { Api } from "../client/api";
import type { ApiKey } from "../client/apiKeys";
import { Problem } from "../client/problem";
import { serverNow } from "../client/serverClock";
import { inTab, type Texts } from "./settings";

const NAME = "first run";
const DAY = 86_400;

/** The key that stands in the lines of an empty list: of scope `report`, for 30 days, and until the tab closes the same. It is
 *  made when the reader asks for it: looking at the page makes nothing. */
export class FirstKey {
  /** The key; a problem when there can be none; null where there is none yet. */
  readonly value: Signal<string | Problem | null> = signal(null);
  readonly busy = signal(false);

  constructor(
    private readonly api: Pick<Api, "keys" | "makeKey" | "revokeKey">,
    private readonly userId: string,
    private readonly kept: Texts = inTab,
  ) {}

  /** Takes the key that this tab made before, unless it was revoked. */
  async find(): Promise<void> {
    if (this.read()) await this.try(async () => this.known((await this.api.keys("own")).keys));
  }

  /** Makes the key, unless this tab has one. Those of other tabs, whose lines may be copied but not run yet, stay for a day. */
  async make(): Promise<void> {
    if (this.busy.value) return;
    await this.try(async () => {
      const { keys } = await this.api.keys("own");
      const found = this.known(keys);
      if (found) return found;
      const isForgotten = ({ name, created_at, last_used_at }: ApiKey) =>
        name === NAME && !last_used_at && serverNow() - Date.parse(created_at) > 1_000 * DAY;
      for (const { id } of keys.filter(isForgotten)) await this.api.revokeKey(id);
      const { id, key } = await this.api.makeKey({ name: NAME, scopes: ["report"], expires_in: 30 * DAY });
      this.kept.write(this.slot, JSON.stringify({ id, key }));
      return key;
    });
  }

  private async try(load: () => Promise<string | null>): Promise<void> {
    this.busy.value = true;
    try {
      this.value.value = await load();
    } catch (error) {
      this.value.value = Problem.of(error);
    } finally {
      this.busy.value = false;
    }
  }

  private known(keys: readonly ApiKey[]): string | null {
    const kept = this.read();
    return kept && keys.some(({ id }) => id === kept.id) ? kept.key : null;
  }

  private get slot(): string {
    return `taskroom.first-key.${this.userId}`;
  }

  private read(): { id: string; key: string } | null {
    return JSON.parse(this.kept.read(this.slot) ?? "null") as { id: string; key: string } | null;
  }
}
