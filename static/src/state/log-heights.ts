import { firstIndex } from "./first-index";

/** In pixels. Browsers draw nothing below about 17.9 million (Firefox) or 33 million (Chromium). */
const TALLEST = 15_000_000;
/** Changes of the mean below this do not move the scroll bar. */
const NOTABLE = 0.1;
const UNKNOWN = -1;
/** Drawn beyond the view, so that blocks are measured before they come into view. */
const BEYOND = 400;

/** The blocks from `first` up to and without `end`. */
export interface BlockRange {
  first: number;
  end: number;
}

/** The heights of the blocks of a list in pixels: as measured, else the mean of the measured ones. */
export class BlockHeights {
  private base = 0;
  /** Of the blocks from `base` on; UNKNOWN where it was not measured. */
  private sizes: number[] = [];
  private tops: number[] = [0];
  /** `tops` is valid up to this index. */
  private valid = 0;
  private guess: number;
  private layout = "";
  private isHidden: ((key: number) => boolean) | null = null;

  constructor(estimate: number) {
    this.guess = estimate;
  }

  /** Sets which blocks there are; a block that stays keeps its height. */
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

  /** Returns where a block begins. */
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

  /** Returns the key of the block at this distance from the top, or of the nearest. */
  find(y: number): number {
    const below = firstIndex(this.sizes.length, (index) => this.top(this.base + index) > y);
    return this.base + Math.max(0, below - 1);
  }

  /** Returns the blocks in a view at this distance from the top, and those near it. */
  around(top: number, height: number): BlockRange {
    return { first: this.find(top - BEYOND), end: this.find(top + height + BEYOND) + 1 };
  }

  /** Sets which blocks take no place, whatever their height. */
  hide(isHidden: ((key: number) => boolean) | null): void {
    if (!isHidden && !this.isHidden) return;
    this.isHidden = isHidden;
    this.valid = 0;
  }

  measured(key: number, height: number): void {
    const index = key - this.base;
    if (this.sizes[index] === height) return;
    this.sizes[index] = height;
    this.valid = Math.min(this.valid, index);
  }

  /** Forgets every height when the layout of the lines is another one. */
  layOut(layout: string): void {
    if (layout === this.layout) return;
    this.layout = layout;
    this.sizes.fill(UNKNOWN);
    this.valid = 0;
  }

  /** Sets the height of blocks that were not measured to the mean of the others, or to less where all together would be too
   * tall to draw. The last block may still grow and does not count. */
  reckon(): void {
    let [sum, known] = [0, 0];
    // No `filter` and `reduce`: copies of a long list at every drawing would take a tenth of the page's time.
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
    if (this.isHidden?.(this.base + index)) return 0;
    const size = this.sizes[index] ?? UNKNOWN;
    return size === UNKNOWN ? this.guess : size;
  }
}
