import { signal } from "@preact/signals";
import type { NoticeChoice, NoticeChoices } from "../client/account";
import type { AccountApi } from "../client/accountApi";
import { Problem } from "../client/problem";

export const CHOICE_WORDS: Record<NoticeChoice, string> = {
  all: "Every end and every approval",
  failures: "Failures and approvals",
  approvals: "Approvals only",
  none: "Nothing",
};

/** What the user wants to be told of its runs. A change is shown at once and taken back when it cannot be kept. */
export class ChosenNotices {
  readonly chosen = signal<NoticeChoices | null>(null);
  readonly problem = signal<Problem | null>(null);
  readonly saved = signal(false);
  /** The last that the server has. */
  private kept: NoticeChoices | null = null;
  private sending = false;

  constructor(private readonly api: Pick<AccountApi, "choices" | "choose">) {}

  async load(): Promise<void> {
    try {
      this.kept = this.chosen.value = await this.api.choices();
      this.problem.value = null;
    } catch (error) {
      this.problem.value = Problem.of(error);
    }
  }

  /** Of all job types that have no choice of their own. */
  setDefault(choice: NoticeChoice): Promise<void> {
    return this.change((before) => ({ ...before, default: choice }));
  }

  /** Null: as all others. */
  set(jobType: string, choice: NoticeChoice | null): Promise<void> {
    return this.change((before) => {
      const { [jobType]: _, ...others } = before.job_types;
      return { ...before, job_types: choice ? { ...others, [jobType]: choice } : others };
    });
  }

  private async change(to: (before: NoticeChoices) => NoticeChoices): Promise<void> {
    if (!this.chosen.value) return;
    this.chosen.value = to(this.chosen.value);
    this.saved.value = false;
    if (this.sending) return; // the request under way sends the newest when it has its answer
    this.sending = true;
    try {
      while (this.kept !== this.chosen.value) {
        const sent: NoticeChoices = this.chosen.value;
        await this.api.choose(sent);
        this.kept = sent;
      }
      this.problem.value = null;
      this.saved.value = true;
    } catch (error) {
      this.chosen.value = this.kept;
      this.problem.value = Problem.of(error);
    } finally {
      this.sending = false;
    }
  }
}
