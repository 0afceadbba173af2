import { firstFrom, type LogSource } from "../state/log-source";
import type { BlockHeights } from "../state/log-heights";
import { reveal } from "./scroll-anchor";

/** Returns the drawn element of a block; undefined for one that is not drawn. */
type FindBlock = (key: number) => Element | undefined;

/** The line that a list goes to. Once it is there it is kept in view until the reader scrolls: blocks that are loaded or
 * measured later, and a box that becomes lower, would move it out again. */
export class LogAim {
  /** A line to go to, and the block in which it is expected. */
  private target: { sequence: number; key: number } | null = null;
  /** The line that was reached. */
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
    this.target = null;
    this.reached = near.line.sequence;
    this.keep(box);
  }

  /** Scrolls so that the line that was reached is in view, if it is no more. */
  keep(box: Element): void {
    if (this.reached === null) return;
    const key = this.source.keyOf(this.reached);
    const line = this.blockOf(key)?.children[firstFrom(this.source.lines(key) ?? [], this.reached)];
    if (line) reveal(box, line);
  }
}
