import { Backoff } from "./backoff";
import { Problem } from "./http";

/** Asks the server until it answers, with back-off. Only the last question is answered. */
export class Question<T> {
  private asked = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private sending: Promise<void> | null = null;

  constructor(
    private readonly request: () => Promise<T>,
    private readonly answered: (answer: T) => void,
    private readonly refused: (problem: Problem) => void,
    private readonly backoff = new Backoff(),
  ) {}

  /** Until the first answer, or the first failure. */
  ask(): Promise<void> {
    this.stop();
    return (this.sending = this.send(this.asked));
  }

  /** Asks, unless a question is under way; at once instead of at the end of the back-off. */
  hurry(): Promise<void> {
    return this.sending ?? this.ask();
  }

  stop(): void {
    clearTimeout(this.timer);
    this.sending = null;
    this.asked++;
  }

  private async send(asked: number): Promise<void> {
    let answer: T;
    try {
      answer = await this.request();
    } catch (error) {
      if (asked === this.asked) this.failed(Problem.of(error));
      return;
    }
    if (asked !== this.asked) return;
    this.sending = null;
    this.backoff.reset();
    this.answered(answer);
  }

  private failed(problem: Problem): void {
    this.sending = null;
    if (isRefusal(problem)) this.refused(problem);
    else this.timer = setTimeout(() => void this.ask(), this.backoff.next());
  }
}

/** Asking again would bring the same answer. A 401 is the session's to mend, a 429 only wants patience. */
export const isRefusal = ({ status }: Problem): boolean =>
  status >= 400 && status < 500 && ![401, 408, 425, 429].includes(status);
