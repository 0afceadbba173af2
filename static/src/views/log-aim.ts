import type { BlockHeights } from "../state/log-heights";
import type { LogSource } from "../state/log-source";
import { reveal } from "./scroll-anchor";

/** Returns the drawn element of a block; undefined for one that is not drawn. */
type FindBlock = (key: number) => Element | undefined;

/** The line, or the header of a section, that a list goes to. Once it is there it is kept in view until the reader scrolls:
 * blocks that are loaded or measured later, and a box that becomes lower, would move it out again. */
export class LogAim {
  /** Where to go, and the block in which it is expected. */
  private target: { sequence: number; key: number } | null = null;
  /** Where it has arrived. */
  private reached: number | null = null;

  constructor(
    private readonly source: LogSource,
    private readonly heights: BlockHeights,
    private readonly blockOf: FindBlock,
  ) {}

  /** The block to go to; null when there is none. */
  get key(): number | null {
    return this.target?.key ?? null;
  }

  to(sequence: number): void {
    this.target = { sequence, key: this.source.keyOf(sequence) };
    this.reached = null;
  }

  drop(): void {
    this.target = this.reached = null;
  }

  /** Scrolls towards the line, which may have to be loaded first. */
  approach(box: Element): void {
    const { source, target } = this;
    if (!target) return;
    if (!this.elementAt(target.sequence)) {
      const near = source.nearest(target.sequence);
      if (!near) {
        this.target = null;
        return;
      }
      target.key = "key" in near ? near.key : source.keyOf(near.line.sequence);
      if ("key" in near || !this.blockOf(target.key)) {
        box.scrollTop = this.heights.top(target.key);
        return;
      }
      target.sequence = near.line.sequence;
    }
    this.target = null;
    this.reached = target.sequence;
    this.keep(box);
  }

  /** Scrolls so that what was reached is in view, if it is no more. */
  keep(box: Element): void {
    const element = this.reached === null ? null : this.elementAt(this.reached);
    if (element) reveal(box, element);
  }

  private elementAt(sequence: number): Element | null {
    return this.blockOf(this.source.keyOf(sequence))?.querySelector(`:scope > [data-at="${sequence}"]`) ?? null;
  }
}
