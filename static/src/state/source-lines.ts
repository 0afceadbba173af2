import type { SourceLines } from "../client/types";

/** A line of source with its number. */
interface SourceLine {
  number: number;
  text: string;
  failed: boolean;
}

/** Returns the lines to show: not those after two blank ones, which are of another function, and without the indent that
 * all have. */
export function sourceLines({ lines, first_line, line }: SourceLines): SourceLine[] {
  const failed = line - first_line;
  const gap = lines.findIndex((text, index) => index > failed && !text.trim() && !lines[index + 1]?.trim());
  const own = gap < 0 ? lines : lines.slice(0, gap);
  const indents = own.filter((text) => text.trim()).map((text) => text.length - text.trimStart().length);
  const indent = Math.min(...indents);
  return own.map((text, index) => ({ number: first_line + index, text: text.slice(indent), failed: index === failed }));
}
