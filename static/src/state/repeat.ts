const SOON_MS = 2_000;
const SELDOM_MS = 30_000;

/** Asks again and again what no event reports: soon after something has changed, and ever more seldom while nothing does. */
export class Repeat {
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** `told` is what there is. A hidden page asks for nothing. */
  constructor(
    private readonly ask: () => Promise<unknown>,
    private readonly told: () => string,
  ) {}

  start(wait = SOON_MS): void {
    this.timer = setTimeout(() => void this.next(wait), wait);
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private async next(waited: number): Promise<void> {
    const { timer } = this;
    const before = this.told();
    if (!document.hidden) await this.ask();
    if (this.timer === timer) this.start(before === this.told() ? Math.min(2 * waited, SELDOM_MS) : SOON_MS);
  }
}
