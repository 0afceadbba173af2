import type { LogLine, LogPage } from "../client/types";
import type { LogSink } from "./run";

const BLOCK_LINES = 100;

/** Lines that are drawn, and compared, as one. `key` is the sequence of its first line and never changes. */
export interface LogBlock {
  readonly key: number;
  readonly lines: LogLine[];
}

/** The lines of one log held here, oldest first, each once. Grouped into blocks, because comparing two thousand lines
 * at every frame chokes a busy page and comparing twenty blocks does not. */
export class LogBuffer implements LogSink {
  blocks: LogBlock[] = [];
  /** Whether the server may have lines older than the first one here. */
  hasEarlier = false;
  /** How many lines were ever appended. */
  appended = 0;
  private last = 0;

  constructor(private readonly capacity = 50_000) {}

  get first(): number | null {
    return this.blocks[0]?.key ?? null;
  }

  /** Takes the newest lines of a snapshot. Where they do not touch what is here, lines between would be missing: they
   * replace it, and the rest is loaded from the server again. */
  restart(recent: readonly LogLine[]): void {
    const oldest = recent[0]?.sequence;
    if (oldest === undefined) return;
    if (oldest > this.last) {
      this.blocks = [];
      this.hasEarlier = true;
    }
    this.append(recent);
  }

  /** Takes newer lines, in order; drops those that are here already. */
  append(lines: readonly LogLine[]): void {
    for (const line of lines) {
      if (line.sequence <= this.last) continue;
      this.last = line.sequence;
      this.appended++;
      const block = this.blocks.at(-1);
      if (block && block.lines.length < BLOCK_LINES) block.lines.push(line);
      else this.blocks.push({ key: line.sequence, lines: [line] });
    }
    const surplus = this.blocks.length - Math.ceil(this.capacity / BLOCK_LINES);
    if (surplus > 0) {
      this.blocks.splice(0, surplus);
      this.hasEarlier = true;
    }
  }

  /** Takes the page before the first line here. */
  prepend(page: LogPage): void {
    const first = this.first ?? Infinity;
    const older = page.logs.filter((line) => line.sequence < first);
    const blocks: LogBlock[] = [];
    for (let at = 0; at < older.length; at += BLOCK_LINES) {
      const lines = older.slice(at, at + BLOCK_LINES);
      if (lines[0]) blocks.push({ key: lines[0].sequence, lines });
    }
    this.blocks = [...blocks, ...this.blocks];
    this.last = Math.max(this.last, older.at(-1)?.sequence ?? 0);
    this.hasEarlier = page.has_more;
  }

  /** At most `count` blocks to draw: the newest, or while someone reads those from sequence `from` on; and whether more
   * come after them. */
  window(from: number | null, count: number): { blocks: LogBlock[]; more: boolean } {
    const newest = Math.max(0, this.blocks.length - count);
    const anchor = from === null ? newest : this.blocks.findIndex((block) => block.key >= from);
    const start = anchor < 0 ? newest : anchor;
    return { blocks: this.blocks.slice(start, start + count), more: start + count < this.blocks.length };
  }
}
