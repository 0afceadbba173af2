const FIRST_MS = 1_000;
const LONGEST_MS = 30_000;
const LARGEST_JITTER = 0.5;

/** Delays in milliseconds of at most 1, 2, 4, 8, 16, 30, 30 … s. Jitter only shortens, so that no viewer waits longer
 * than these figures and a thousand viewers do not come back in the same instant. */
export class Backoff {
  private ceiling = FIRST_MS;

  constructor(private readonly random: () => number = Math.random) {}

  next(): number {
    const delay = this.ceiling * (1 - LARGEST_JITTER * this.random());
    this.ceiling = Math.min(LONGEST_MS, this.ceiling * 2);
    return delay;
  }

  reset(): void {
    this.ceiling = FIRST_MS;
  }
}
