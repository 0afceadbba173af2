import { signal, type Signal } from "@preact/signals";
import type { Api } from "../client/api";
import type { ApiKey } from "../client/apiKeys";
import { Problem } from "../client/problem";
import { serverNow } from "../client/serverClock";
import { inTab, type Texts } from "./settings";

const NAME = "first run";
const DAY = 86_400;

/** The key that stands in the lines of an empty list: of scope `report`, for 30 days, and until the tab closes the same. */
export class FirstKey {
  /** The key; a problem when there can be none; null while it is made. */
  readonly value: Signal<string | Problem | null> = signal(null);

  constructor(
    private readonly api: Pick<Api, "keys" | "makeKey" | "revokeKey">,
    private readonly userId: string,
    private readonly kept: Texts = inTab,
  ) {}

  /** Makes the key unless this tab has it. Those of other tabs, whose lines may be copied but not run yet, stay for a day. */
  async load(): Promise<void> {
    try {
      const { keys } = await this.api.keys("own");
      const earlier = keys.filter(({ name }) => name === NAME);
      const kept = this.read();
      if (kept && earlier.some(({ id }) => id === kept.id)) {
        this.value.value = kept.key;
        return;
      }
      const isForgotten = ({ created_at, last_used_at }: ApiKey) => !last_used_at && serverNow() - Date.parse(created_at) > 1_000 * DAY;
      for (const { id } of earlier.filter(isForgotten)) await this.api.revokeKey(id);
      const { id, key } = await this.api.makeKey({ name: NAME, scopes: ["report"], expires_in: 30 * DAY });
      this.kept.write(this.slot, JSON.stringify({ id, key }));
      this.value.value = key;
    } catch (error) {
      this.value.value = Problem.of(error);
    }
  }

  private get slot(): string {
    return `taskroom.first-key.${this.userId}`;
  }

  private read(): { id: string; key: string } | null {
    return JSON.parse(this.kept.read(this.slot) ?? "null") as { id: string; key: string } | null;
  }
}
