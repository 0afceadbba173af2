import { Backoff } from "./backoff";
import { Problem } from "./problem";

/** Sends a request until the server answers it or refuses it, with back-off. Only the last one sent is answered. `failed` is
 * called after each failure, with how many there were since the last answer. */
export class RetryingRequest<T> {
  private count = 0;
  private failures = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private sending: Promise<void> | null = null;

  constructor(
    private readonly request: () => Promise<T>,
    private readonly answered: (answer: T) => void,
    private readonly refused: (problem: Problem) => void,
    private readonly failed: (problem: Problem, times: number) => void = () => undefined,
    private readonly backoff = new Backoff(),
  ) {}

  /** Sends it anew; resolves after the first answer or failure. */
  send(): Promise<void> {
    this.stop();
    return (this.sending = this.attempt(this.count));
  }

  /** Sends it now, not at the end of the back-off, unless it is already on its way. */
  sendNow(): Promise<void> {
    return this.sending ?? this.send();
  }

  stop(): void {
    clearTimeout(this.timer);
    this.sending = null;
    this.count++;
  }

  private async attempt(number: number): Promise<void> {
    let answer: T;
    try {
      answer = await this.request();
    } catch (error) {
      if (number === this.count) this.unanswered(Problem.of(error));
      return;
    }
    if (number !== this.count) return;
    this.sending = null;
    this.backoff.reset();
    this.failures = 0;
    this.answered(answer);
  }

  private unanswered(problem: Problem): void {
    this.sending = null;
    if (problem.isRefusal) return this.refused(problem);
    this.timer = setTimeout(() => void this.send(), this.backoff.next());
    this.failed(problem, ++this.failures);
  }
}
