import { signal } from "@preact/signals";
import type { Api } from "../client/api";
import { Problem } from "../client/problem";
import type { Task } from "../client/types";
import type { Connection, Watch } from "../client/watch";

const SOON_MS = 250;
/** A reporter of another user tells this one of nothing. */
const APART_MS = 5_000;
const NEWEST = 50;

/** The run that the reporter of an ended task starts because it was asked to: a retry of the task's last run. */
export class StartedAgain {
  readonly run = signal<Task | null>(null);
  private readonly watch: Watch;
  private readonly ticker: ReturnType<typeof setInterval>;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly last: string,
    private readonly job_type: string,
    private readonly scope: "own" | "tenant",
    private readonly api: Pick<Api, "tasks">,
    connection: Pick<Connection, "user">,
  ) {
    this.watch = connection.user({
      refresh: () => this.lookSoon(),
      event: ({ type }) => type === "task_created" && this.lookSoon(),
    });
    this.ticker = setInterval(() => void this.look(), APART_MS);
  }

  stop(): void {
    this.watch.stop();
    clearInterval(this.ticker);
    clearTimeout(this.timer);
  }

  private lookSoon(): void {
    this.timer ??= setTimeout(() => void this.look(), SOON_MS);
  }

  private async look(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    const page = await this.api.tasks({ job_type: this.job_type, scope: this.scope }, NEWEST).catch((error: unknown) => {
      // Without an answer the next look asks again; who may not look stops.
      if (Problem.of(error).isRefusal) this.stop();
      return null;
    });
    const found = page?.tasks.find(({ retry_of }) => retry_of === this.last);
    if (!found) return;
    this.run.value = found;
    this.stop();
  }
}
