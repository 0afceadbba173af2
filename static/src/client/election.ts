/** Which tab of a browser leads: the one that holds the lock of that name. It passes on, in the order in which tabs came,
 * when its tab lets go, closes or crashes. */
export class Election {
  private turn = new AbortController();
  private letGo: (() => void) | null = null;

  /** `lost`: another tab has seized it. */
  constructor(
    private readonly name: string,
    private readonly won: () => void,
    private readonly lost: () => void,
  ) {}

  /** Waits for its turn. */
  stand(): void {
    this.withdraw();
    this.ask({ signal: this.turn.signal });
  }

  /** Takes it from a tab that holds it and does nothing. */
  seize(): void {
    this.withdraw();
    this.ask({ steal: true });
  }

  withdraw(): void {
    this.turn.abort();
    this.turn = new AbortController();
    this.letGo?.();
    this.letGo = null;
  }

  private ask(options: LockOptions): void {
    const { signal } = this.turn;
    const hold = (): Promise<void> | undefined => {
      if (signal.aborted) return undefined;
      const held = new Promise<void>((done) => (this.letGo = done));
      this.won();
      return held;
    };
    navigator.locks.request(this.name, options, hold).catch((error: unknown) => {
      if (signal.aborted) return;
      if (error instanceof Error && error.name === "AbortError") {
        this.letGo = null;
        this.lost();
      } else this.won(); // a page that may have no locks has nobody to share with
    });
  }
}
