import { signal } from "@preact/signals";
import type { Api } from "../client/api";
import { Problem } from "../client/problem";
import type { NewShare, ShareList } from "../client/shares";

const HOUR = 3_600;

/** How long a new share may be valid: the words and the seconds. */
export const LIFETIMES: readonly (readonly [string, number])[] = [
  ["In an hour", HOUR],
  ["In a day", 24 * HOUR],
  ["In 7 days", 168 * HOUR],
  ["In 30 days", 720 * HOUR],
];
export const USUAL_LIFETIME = 1;

/** What another site adds for a new share: a frame, or the element and its script. */
export const linesFor = (origin: string, taskId: string, made: NewShare): Record<"frame" | "element", string> => ({
  frame: `<iframe src="${made.embed_url}" title="Run" width="100%" height="480"></iframe>`,
  element:
    `<script type="module" src="${origin}/client/element.js"></script>\n` +
    `<taskroom-run url="${origin}" run="${taskId}" token="${made.token}"></taskroom-run>`,
});

/** The live shares of a run, and the one that was made last: only here its token can be seen. */
export class RunShares {
  readonly list = signal<ShareList | null>(null);
  readonly problem = signal<Problem | null>(null);
  readonly made = signal<NewShare | null>(null);

  constructor(
    readonly taskId: string,
    private readonly api: Pick<Api, "shares" | "share" | "revokeShare">,
  ) {}

  async load(): Promise<void> {
    try {
      this.list.value = await this.api.shares(this.taskId);
      this.problem.value = null;
    } catch (error) {
      this.problem.value = Problem.of(error);
    }
  }

  /** Throws Problem. */
  async make(expiresIn: number): Promise<void> {
    this.made.value = await this.api.share(this.taskId, expiresIn);
    await this.load();
  }

  /** Throws Problem. A share that somebody else has revoked meanwhile is gone too. */
  async revoke(id: string): Promise<void> {
    try {
      await this.api.revokeShare(this.taskId, id);
    } catch (error) {
      if (Problem.of(error).status !== 404) throw error;
    }
    if (this.made.value?.id === id) this.made.value = null;
    const list = this.list.value;
    if (list) this.list.value = { ...list, shares: list.shares.filter((share) => share.id !== id) };
  }
}
