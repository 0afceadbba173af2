/** Decides which tab of a browser leads: the one that holds the lock of that name. When that tab releases it, closes or
 * crashes, the lock passes to the tab that has waited longest. */
export class Election {
  private candidacy = new AbortController();
  private release: (() => void) | null = null;

  /** `lost`: another tab has stolen the lock. */
  constructor(
    private readonly name: string,
    private readonly won: () => void,
    private readonly lost: () => void,
  ) {}

  /** Waits for the lock. */
  enter(): void {
    this.withdraw();
    this.request({ signal: this.candidacy.signal });
  }

  /** Takes the lock from a tab that holds it and does nothing. */
  steal(): void {
    this.withdraw();
    this.request({ steal: true });
  }

  withdraw(): void {
    this.candidacy.abort();
    this.candidacy = new AbortController();
    this.release?.();
    this.release = null;
  }

  private request(options: LockOptions): void {
    const { signal } = this.candidacy;
    const hold = (): Promise<void> | undefined => {
      if (signal.aborted) return undefined;
      const held = new Promise<void>((done) => (this.release = done));
      this.won();
      return held;
    };
    navigator.locks.request(this.name, options, hold).catch((error: unknown) => {
      if (signal.aborted) return;
      if (error instanceof Error && error.name === "AbortError") {
        this.release = null;
        this.lost();
      } else this.won(); // a page that may use no locks has no other tab to share with
    });
  }
}
