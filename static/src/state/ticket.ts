import { jsonText } from "../client/json";
import type { LogLine, SourceLines, Task } from "../client/types";
import { beforeTitle, type Failure, type LinesBefore } from "./failure";
import { hasTitle, quantity } from "./format";
import { plain } from "./log-text";
import { masked } from "./secrets";
import { sourceLines } from "./source-lines";
import { duration, elapsed } from "./time";

const MOST_PARAMS = 3_000;
const WIDEST = 500;

interface Given {
  task: Task;
  /** In which it failed, or where between phases; null where there are none. */
  phase: string | null;
  failure: Failure;
  lines: LinesBefore;
  /** The address of the run's page, at the line of the failure. */
  link: string;
}

/** Returns what a ticket about a failed run needs, as Markdown that reads well as plain text too. */
export function ticket(given: Given): string {
  const { task, failure, lines } = given;
  const { error } = task;
  const name = hasTitle(task) ? task.title : task.job_type;
  const parts = [
    `## ${oneLine(name)}: ${oneLine(failure.sentence)}`,
    facts(given),
    failure.hint,
    error && !failure.sentence.includes(error.message) && code(error.message),
    error?.source && `Source, ${place(error.source)}:\n\n${code(numbered(error.source))}`,
    error?.traceback && `Traceback:\n\n${code(error.traceback.trimEnd())}`,
    lines.before.length > 0 && `${beforeTitle(lines.before.length)}:\n\n${code(lines.before.map(line).join("\n"))}`,
    task.params && Object.keys(task.params).length > 0 && `Parameters:\n\n${code(cut(jsonText(masked(task.params), 2)), "json")}`,
  ];
  return `${parts.filter(Boolean).join("\n\n")}\n`;
}

function facts({ task, failure, phase, link }: Given): string {
  const { started_at, finished_at } = task;
  const seconds = elapsed(started_at, finished_at, Date.parse(finished_at ?? task.updated_at ?? task.created_at));
  const rows: [name: string, value: string | null | undefined | false][] = [
    ["Run", link],
    ["Job", task.job_type],
    ["Error", failure.type],
    ["Phase", phase],
    ["When", finished_at ?? task.updated_at],
    ["After", seconds !== null && duration(seconds)],
    ["Attempt", task.attempt > 0 && String(task.retry_count + 1)],
    ["Worker", task.worker],
  ];
  return rows.flatMap(([key, value]) => (value ? [`- ${key}: ${oneLine(value)}`] : [])).join("\n");
}

/** "shop/tasks.py, line 12, in charge". */
export const place = (source: SourceLines): string =>
  `${source.file}, line ${source.line}${source.function ? `, in ${source.function}` : ""}`;

/** Returns the lines with their numbers, and a mark at the one that failed. */
function numbered(source: SourceLines): string {
  const lines = sourceLines(source);
  const width = String(lines.at(-1)?.number ?? 0).length;
  return lines
    .map(({ number, text, failed }) => `${failed ? ">" : " "} ${String(number).padStart(width)} | ${text}`.trimEnd())
    .join("\n");
}

const line = (of: LogLine): string => {
  const text = plain(of);
  const shown = text.length > WIDEST ? `${text.slice(0, WIDEST)}…` : text;
  return `${of.timestamp} ${of.level.padEnd(7)} ${of.phase ? `[${of.phase}] ` : ""}${shown}`;
};

/** A fence that no line of the text ends. */
function code(text: string, language = ""): string {
  const longest = Math.max(2, ...(text.match(/`+/g) ?? []).map(({ length }) => length));
  const fence = "`".repeat(longest + 1);
  return `${fence}${language}\n${text}\n${fence}`;
}

const oneLine = (text: string): string => text.replace(/\s+/g, " ").trim();

const cut = (text: string): string =>
  text.length > MOST_PARAMS ? `${text.slice(0, MOST_PARAMS)}\n… of ${quantity(text.length, "character")}` : text;
