import type { LogLine } from "../client/types";
import type { LineRange } from "./log-link";
import type { LoadLog } from "./log-source";
import { plain } from "./log-text";

const PAGE = 1_000;
/** A clipboard takes no more; the download has all lines. */
const MOST_LINES = 20_000;

/** Loads lines as text, in the form of the download. */
export async function textOf(load: LoadLog, { from, to }: LineRange): Promise<string> {
  const lines: LogLine[] = [];
  for (let cursor = from - 1; cursor < to && lines.length < MOST_LINES; ) {
    const page = await load({ since_sequence: cursor, limit: Math.min(PAGE, to - cursor) });
    lines.push(...page.logs.filter(({ sequence }) => sequence <= to));
    if (!page.has_more) break;
    cursor = page.next_sequence;
  }
  return lines
    .map((line) => `${line.timestamp} ${line.level.padEnd(8)} [${line.phase ?? "-"}] ${plain(line)}\n`)
    .join("");
}
