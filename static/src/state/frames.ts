/** Nobody reads what changes more often, and drawing it would take the page's time. */
const APART_MS = 100;
/** Of what is too much to be read as it comes. */
const MUCH_APART_MS = 250;
/** Longest time without a frame: hidden tabs and covered windows get no animation frames but must go on. */
const WITHOUT_FRAME_MS = 250;

/** Runs `work` once for all requests until the next animation frame, ten times a second at most, four times after
 * it said that it had much to do. */
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
