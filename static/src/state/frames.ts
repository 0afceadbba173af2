/** Longest time without a frame: hidden tabs and covered windows get no animation frames but must go on. */
const WITHOUT_FRAME_MS = 250;

/** Runs `work` once for all requests until the next animation frame. */
export class Frames {
  private frame: number | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly work: () => void) {}

  request(): void {
    if (this.frame !== null) return;
    this.frame = requestAnimationFrame(this.run);
    this.timer = setTimeout(this.run, WITHOUT_FRAME_MS);
  }

  cancel(): void {
    if (this.frame !== null) cancelAnimationFrame(this.frame);
    clearTimeout(this.timer);
    this.frame = null;
  }

  private readonly run = (): void => {
    this.cancel();
    this.work();
  };
}
