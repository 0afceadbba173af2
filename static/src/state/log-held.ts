import type { LogLine } from "../client/types";
import { firstFrom } from "./log-source";

/** Sequences in a block. Lines are drawn, measured and dropped a block at a time: one by one would be too slow for a busy
 * page, and larger blocks would draw many lines that are not in view. */
export const BLOCK = 25;

export const blockOf = (sequence: number): number => Math.floor((sequence - 1) / BLOCK);

/** All lines after `after` up to and including `upTo`, within one block of the sequences. */
interface Block {
  lines: LogLine[];
  after: number;
  upTo: number;
}

/** The blocks of a log that are here, in the order in which they were wanted last. */
export class HeldBlocks {
  /** How many lines are here. */
  count = 0;
  /** Rises with each block that has no line any more, or has its first one. */
  changes = 0;
  private readonly blocks = new Map<number, Block>();

  lines(key: number): LogLine[] | null {
    return this.blocks.get(key)?.lines ?? null;
  }

  /** Returns up to where and from where on lines are here of a block, null of one that is not. */
  span(key: number): { after: number; upTo: number } | null {
    return this.blocks.get(key) ?? null;
  }

  want(key: number): void {
    const block = this.blocks.get(key);
    if (!block) return;
    this.blocks.delete(key);
    this.blocks.set(key, block);
  }

  /** Adds all lines after `after` up to `upTo`. */
  add(after: number, upTo: number, lines: readonly LogLine[]): void {
    let at = firstFrom(lines, after + 1);
    for (let key = blockOf(after + 1); key <= blockOf(upTo); key++) {
      const end = Math.min((key + 1) * BLOCK, upTo);
      const from = at;
      while (at < lines.length && (lines[at] as LogLine).sequence <= end) at++;
      const before = this.blocks.get(key)?.lines.length;
      this.merge(key, Math.max(key * BLOCK, after), end, lines.slice(from, at));
      const length = this.blocks.get(key)?.lines.length ?? 0;
      this.count += length - (before ?? 0);
      if (length === 0 ? before !== 0 : before === 0) this.changes++;
    }
  }

  /** Removes a line that is shown no more; its place counts as known. */
  remove({ sequence }: LogLine): void {
    const lines = this.lines(blockOf(sequence));
    const at = lines ? firstFrom(lines, sequence) : 0;
    if (lines?.[at]?.sequence !== sequence) return;
    lines.splice(at, 1);
    this.count--;
    if (!lines.length) this.changes++;
  }

  /** Drops blocks, those that were wanted longest ago first, until no more than `most` lines are left, or only those that stay. */
  evict(most: number, stays: (key: number) => boolean): void {
    for (const [key, { lines }] of this.blocks) {
      if (this.count <= most) return;
      if (lines.length && !stays(key)) this.drop(key);
    }
  }

  dropAll(goes: (key: number) => boolean): void {
    for (const key of this.blocks.keys()) if (goes(key)) this.drop(key);
  }

  private merge(key: number, after: number, upTo: number, lines: LogLine[]): void {
    const block = this.blocks.get(key);
    // Two spans that do not touch cannot be merged: the lines between them would be missing.
    if (!block || after > block.upTo || upTo < block.after) {
      this.blocks.set(key, { lines, after, upTo });
      return;
    }
    const before = lines.slice(0, firstFrom(lines, block.after + 1));
    const later = lines.slice(firstFrom(lines, block.upTo + 1));
    if (before.length) block.lines = [...before, ...block.lines, ...later];
    else block.lines.push(...later);
    block.after = Math.min(block.after, after);
    block.upTo = Math.max(block.upTo, upTo);
  }

  private drop(key: number): void {
    this.count -= this.blocks.get(key)?.lines.length ?? 0;
    this.blocks.delete(key);
  }
}
