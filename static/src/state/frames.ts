/** Faster changes cannot be read, and drawing them would block the page. */
const APART_MS = 100;
/** The interval after a call that had much to do. */
const MUCH_APART_MS = 250;
/** Longest wait for a frame: hidden tabs and covered windows get no animation frames but must go on. */
const WITHOUT_FRAME_MS = 250;

/** Runs `work` once for all requests until the next animation frame, at most ten times a second. `work` returns whether it
 * had much to do; it then runs at most four times a second. */
export class Frames {
  private requested = false;
  private frame: number | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private notBefore = -Infinity;

  constructor(private readonly work: () => boolean | void) {}

  request(): void {
    if (this.requested) return;
    this.requested = true;
    const wait = this.notBefore - performance.now();
    if (wait > 0) this.timer = setTimeout(this.ask, wait);
    else this.ask();
  }

  cancel(): void {
    if (this.frame !== null) cancelAnimationFrame(this.frame);
    clearTimeout(this.timer);
    this.frame = null;
    this.requested = false;
  }

  private readonly ask = (): void => {
    this.frame = requestAnimationFrame(this.run);
    this.timer = setTimeout(this.run, WITHOUT_FRAME_MS);
  };

  private readonly run = (): void => {
    this.cancel();
    const now = performance.now();
    this.notBefore = now + APART_MS;
    if (this.work()) this.notBefore = now + MUCH_APART_MS;
  };
}
