import { LogStore } from "./log";
import type { LogFolds } from "./log-folds";
import type { BlockHeights } from "./log-heights";
import { BLOCK } from "./log-held";
import { sectionsBetween } from "./log-sections";
import type { LogSource } from "./log-source";

/** The blocks of a list that take no place: those within folded sections, and those without a line and without a header. */
export class HiddenBlocks {
  private known: readonly unknown[] = [];

  constructor(
    private readonly source: LogSource,
    private readonly folds: LogFolds,
    private readonly heights: BlockHeights,
  ) {}

  /** Tells the heights which blocks these are; returns whether other sections are folded than before. */
  update(): boolean {
    const { source, folds } = this;
    const hidden = folds.hidden.peek();
    const known = [hidden, folds.sections.peek(), source.blanks];
    if (known.every((part, index) => part === this.known[index])) return false;
    const folded = this.known.length > 0 && this.known[0] !== hidden;
    this.known = known;
    const all = source.blanks === 0 && hidden.length === 0;
    this.heights.hide(all ? null : (key) => source.nextShown(key) !== key || (source.isBlank(key) && !this.hasHeader(key)));
    return folded;
  }

  /** Whether a header stands in a block. The first block has those of sections that began before it. */
  readonly hasHeader = (key: number): boolean =>
    this.source instanceof LogStore &&
    (key === this.source.first || sectionsBetween(this.folds.sections.peek(), key * BLOCK, (key + 1) * BLOCK).length > 0);
}
