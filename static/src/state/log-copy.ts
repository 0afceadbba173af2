import type { LogLine } from "../client/types";
import type { LineRange } from "./log-link";
import type { AskLog } from "./log-source";
import { plain } from "./log-text";

const PAGE = 1_000;
/** What a clipboard is still good for; more than this is a file. */
const MOST_LINES = 20_000;

/** Lines as text, as in the file of a download. */
export async function textOf(ask: AskLog, { from, to }: LineRange): Promise<string> {
  const lines: LogLine[] = [];
  for (let cursor = from - 1; cursor < to && lines.length < MOST_LINES; ) {
    const page = await ask({ since_sequence: cursor, limit: Math.min(PAGE, to - cursor) });
    lines.push(...page.logs.filter(({ sequence }) => sequence <= to));
    if (!page.has_more) break;
    cursor = page.next_sequence;
  }
  return lines
    .map((line) => `${line.timestamp} ${line.level.padEnd(8)} [${line.phase ?? "-"}] ${plain(line)}\n`)
    .join("");
}
