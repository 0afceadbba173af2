import { signal } from "@preact/signals";
import type { Api } from "../client/api";
import { Problem } from "../client/problem";

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
    const count = await this.api.viewers(this.taskId).catch((error: unknown) => this.unanswered(error));
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

  /** Who may not see the task any more does not ask again. */
  private unanswered(error: unknown): null {
    if (Problem.of(error).isRefusal) this.stop();
    this.count.value = null;
    return null;
  }

  private readonly shown = (): void => {
    if (!document.hidden) void this.load();
    else clearTimeout(this.timer);
  };
}
