import { signal } from "@preact/signals";
import type { Api } from "../client/api";

const ASK_MS = 15_000;
/** More for each viewer, so that however many watch they ask ten times a second at most, all together. */
const MORE_MS = 100;

/** How many watch a task; asked for now and then while the page is seen. */
export class Viewers {
  readonly count = signal<number | null>(null);
  private timer: ReturnType<typeof setTimeout> | undefined;
  private stopped = false;

  constructor(
    private readonly taskId: string,
    private readonly api: Api,
  ) {
    document.addEventListener("visibilitychange", this.shown);
  }

  async ask(): Promise<void> {
    clearTimeout(this.timer);
    // What cannot be known is not said; the page says already that the server does not answer.
    const count = await this.api.viewers(this.taskId).catch(() => null);
    if (this.stopped) return;
    this.count.value = count;
    clearTimeout(this.timer);
    if (!document.hidden) this.timer = setTimeout(() => void this.ask(), ASK_MS + MORE_MS * (count ?? 0));
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
    document.removeEventListener("visibilitychange", this.shown);
  }

  private readonly shown = (): void => {
    if (!document.hidden) void this.ask();
    else clearTimeout(this.timer);
  };
}
