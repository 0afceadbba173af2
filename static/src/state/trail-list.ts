import { signal } from "@preact/signals";
import type { TrailEntry, TrailQuery } from "../client/account";
import type { AccountApi } from "../client/accountApi";
import { Problem } from "../client/problem";

const PAGE = 50;
/** Pages without a hit that are loaded before the reader is asked whether to look on. */
const EMPTY_PAGES = 4;

/** The list of the trail, a page at a time. */
export class TrailList {
  readonly entries = signal<readonly TrailEntry[] | null>(null);
  readonly problem = signal<Problem | null>(null);
  readonly busy = signal(false);
  /** The cursor of the entries that are not loaded yet. */
  readonly next = signal<string | null>(null);
  private stopped = false;

  constructor(
    private readonly api: Pick<AccountApi, "trail">,
    private readonly query: TrailQuery,
  ) {}

  /** Loads the list from its beginning. */
  load(): Promise<void> {
    return this.take(undefined, []);
  }

  /** Loads the next page. */
  async more(): Promise<void> {
    if (this.next.value && !this.busy.value) await this.take(this.next.value, this.entries.value ?? []);
  }

  /** Answers that come later change nothing. */
  stop(): void {
    this.stopped = true;
  }

  private async take(cursor: string | undefined, before: readonly TrailEntry[]): Promise<void> {
    this.busy.value = true;
    try {
      let page = await this.api.trail(this.query, PAGE, cursor);
      for (let empty = 1; !page.entries.length && page.next && empty < EMPTY_PAGES && !this.stopped; empty++) {
        page = await this.api.trail(this.query, PAGE, page.next);
      }
      if (this.stopped) return;
      this.entries.value = [...before, ...page.entries];
      this.next.value = page.next;
      this.problem.value = null;
    } catch (error) {
      const problem = Problem.of(error);
      if (this.stopped) return;
      if (problem.isWrongCursor) return await this.load();
      this.problem.value = problem;
    } finally {
      this.busy.value = false;
    }
  }
}
