/** Browsers draw nothing below about 17.9 million pixels (Firefox; Chromium 33). */
const TALLEST = 15_000_000;
/** Changes of the mean below this do not move the scroll bar. */
const NOTABLE = 0.1;
const UNKNOWN = -1;

/** How tall the blocks of a list are: as measured, or as the measured ones were in the mean. */
export class Heights {
  private base = 0;
  /** From `base` on; -1 where it was not measured. */
  private sizes: number[] = [];
  private tops: number[] = [0];
  /** `tops` is right up to this index. */
  private valid = 0;
  private guess: number;

  constructor(estimate: number) {
    this.guess = estimate;
  }

  /** The blocks there are now; those of both before and now keep what was measured. */
  span(first: number, end: number): void {
    if (first !== this.base) {
      const kept = first > this.base ? this.sizes.slice(first - this.base) : this.sizes;
      this.sizes = first > this.base ? kept : [...new Array<number>(this.base - first).fill(UNKNOWN), ...kept];
      this.base = first;
      this.valid = 0;
    }
    const length = end - first;
    this.valid = Math.min(this.valid, length);
    while (this.sizes.length < length) this.sizes.push(UNKNOWN);
    this.sizes.length = length;
  }

  get total(): number {
    return this.top(this.base + this.sizes.length);
  }

  /** Where a block begins. */
  top(key: number): number {
    const index = Math.min(Math.max(key - this.base, 0), this.sizes.length);
    while (this.valid < index) {
      this.tops[this.valid + 1] = (this.tops[this.valid] as number) + this.at(this.valid);
      this.valid++;
    }
    return this.tops[index] as number;
  }

  height(key: number): number {
    return this.at(key - this.base);
  }

  /** The block at this distance from the top, or the nearest. */
  find(y: number): number {
    let low = 0;
    let high = Math.max(0, this.sizes.length - 1);
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.top(this.base + middle) <= y) low = middle;
      else high = middle - 1;
    }
    return this.base + low;
  }

  measured(key: number, height: number): void {
    const index = key - this.base;
    if (this.sizes[index] === height) return;
    this.sizes[index] = height;
    this.valid = Math.min(this.valid, index);
  }

  /** The width, and so each height, has changed. */
  forget(): void {
    this.sizes.fill(UNKNOWN);
    this.valid = 0;
  }

  /** Takes blocks that are not here for what the others are in the mean, or for less where all together would be too
   * tall to draw. The last one may still be growing and does not count. */
  reckon(): void {
    let [sum, known] = [0, 0];
    // Copies of a long list, at every drawing of one that is followed, would be a tenth of a page's time.
    for (let index = 0; index < this.sizes.length - 1; index++) {
      const size = this.sizes[index] as number;
      if (size === UNKNOWN) continue;
      sum += size;
      known++;
    }
    const mean = known ? sum / known : this.guess;
    const most = TALLEST / Math.max(1, this.sizes.length);
    const next = Math.max(1, Math.min(mean, most));
    if (this.guess <= most && Math.abs(next - this.guess) < this.guess * NOTABLE) return;
    this.guess = next;
    this.valid = 0;
  }

  private at(index: number): number {
    const size = this.sizes[index] ?? UNKNOWN;
    return size === UNKNOWN ? this.guess : size;
  }
}
