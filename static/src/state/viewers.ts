import { signal } from "@preact/signals";
import type { Api } from "../client/api";

const ASK_MS = 15_000;
/** Added for each viewer, so that all viewers together ask at most ten times a second. */
const MORE_MS = 100;

/** How many viewers a task has; loaded at intervals while the page is visible. */
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

  async load(): Promise<void> {
    clearTimeout(this.timer);
    // Without an answer nothing is shown; the header shows already that the server does not answer.
    const count = await this.api.viewers(this.taskId).catch(() => null);
    if (this.stopped) return;
    this.count.value = count;
    clearTimeout(this.timer);
    if (!document.hidden) this.timer = setTimeout(() => void this.load(), ASK_MS + MORE_MS * (count ?? 0));
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
    document.removeEventListener("visibilitychange", this.shown);
  }

  private readonly shown = (): void => {
    if (!document.hidden) void this.load();
    else clearTimeout(this.timer);
  };
}
