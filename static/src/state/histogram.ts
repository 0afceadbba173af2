import type { TaskTimes } from "../client/taskLists";
import { STATUSES, type Status } from "../client/types";
import type { RunFilter } from "./filter";
import { count, quantity } from "./format";
import { HOUR_MS } from "./list-days";
import { timeText } from "./list-times";
import { statusWord, toneOf, type Tone } from "./marks";

/** Hours of a column, of which the smallest is taken that fits. */
const STEPS = [1, 2, 3, 4, 6, 12, 24, 48, 168, 336];
const DAY = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short" });
const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

/** The order in which a column is drawn, from its top. */
export const TONES: readonly Tone[] = ["fail", "wait", "run", "off", "ok"];

/** Some hours or days of the list: how many runs were made in them, by the tone of their status. */
export interface HistogramColumn {
  at: number;
  until: number;
  tones: Partial<Record<Tone, number>>;
  total: number;
  /** "Mon 2 Mar, 10:00–12:00". */
  name: string;
  /** "24 runs, 2 failed"; "no run". */
  text: string;
  /** "2 failed, 22 succeeded". */
  parts: string;
}

/** Returns the columns of a time, `most` at most, also those without runs. They begin at whole hours and days of the reader. `status`:
 * of runs of this one only. */
export function columnsOf(times: TaskTimes["times"], shown: { from: number; to: number }, most: number, status: Status | null): HistogramColumn[] {
  const step = STEPS.find((hours) => (shown.to - shown.from) / HOUR_MS / hours <= most) ?? (STEPS.at(-1) as number);
  const columns: [number, number, Partial<Record<Status, number>>][] = [];
  for (let at = beginOf(shown.from, step); at < shown.to; at = nextOf(at, step)) columns.push([at, nextOf(at, step), {}]);
  for (const { at, counts } of times) {
    const made = Date.parse(at);
    const column = columns.find(([from, until]) => made >= from && made < until)?.[2];
    if (!column) continue;
    for (const name of STATUSES) if (counts[name] && (!status || status === name)) column[name] = (column[name] ?? 0) + counts[name];
  }
  return columns.map(([at, until, counts]) => columnOf(at, until, counts));
}

function beginOf(from: number, step: number): number {
  const begin = new Date(from);
  return begin.setHours(step < 24 ? Math.floor(begin.getHours() / step) * step : 0, 0, 0, 0);
}

/** By the clock, so that a day has 23 or 25 hours twice a year. */
function nextOf(at: number, step: number): number {
  if (step === 1) return at + HOUR_MS;
  const next = new Date(at);
  return next.setHours(next.getHours() + step);
}

function columnOf(at: number, until: number, counts: Partial<Record<Status, number>>): HistogramColumn {
  const tones: Partial<Record<Tone, number>> = {};
  let total = 0;
  for (const [status, number] of Object.entries(counts) as [Status, number][]) {
    tones[toneOf(status)] = (tones[toneOf(status)] ?? 0) + number;
    total += number;
  }
  return { at, until, tones, total, name: rangeText(at, until), ...wordsOf(counts, total) };
}

function wordsOf(counts: Partial<Record<Status, number>>, total: number): Pick<HistogramColumn, "text" | "parts"> {
  const part = (status: Status): string => `${count(counts[status] as number)} ${statusWord(status)}`;
  const others = STATUSES.filter((status) => status !== "SUCCESS" && counts[status]).map(part);
  const parts = counts.SUCCESS ? [...others, part("SUCCESS")] : others;
  return { text: total ? [quantity(total, "run"), ...others].join(", ") : "no run", parts: parts.join(", ") };
}

/** Says a time in words: "Mon 2 Mar", "Mon 2 Mar, 10:00–12:00", "Mon 2 Mar, 10:00 – Tue 3 Mar, 09:00". */
export function rangeText(from: number, to: number): string {
  const midnight = (at: number): boolean => new Date(at).getHours() === 0 && new Date(at).getMinutes() === 0;
  const last = to - 1;
  const oneDay = DAY.format(from) === DAY.format(last);
  if (midnight(from) && midnight(to)) return oneDay ? DAY.format(from) : `${DAY.format(from)} – ${DAY.format(last)}`;
  if (oneDay) return `${DAY.format(from)}, ${CLOCK.format(from)}–${midnight(to) ? "24:00" : CLOCK.format(to)}`;
  return `${DAY.format(from)}, ${CLOCK.format(from)} – ${DAY.format(to)}, ${CLOCK.format(to)}`;
}

/** The columns from one to another, in whatever order, as a choice of the filter. */
export function choiceOf(columns: readonly HistogramColumn[], one: number, other: number): { from: string; to: string } {
  const [first, last] = [columns[Math.min(one, other)], columns[Math.max(one, other)]];
  return first && last ? { from: timeText(first.at), to: timeText(last.until) } : { from: "", to: "" };
}

/** What a key does at the histogram: the column it goes to, and whether the choice grows; null for a key that is none of its. */
export function keyMeaning(key: string, shift: boolean, at: number, last: number): { at: number; grows: boolean } | "choose" | "clear" | null {
  const to = { ArrowRight: at + 1, ArrowLeft: at - 1, PageDown: at + 10, PageUp: at - 10, Home: 0, End: last }[key];
  if (to !== undefined) return { at: Math.min(last, Math.max(0, to)), grows: shift };
  return key === "Enter" || key === " " ? "choose" : key === "Escape" ? "clear" : null;
}

/** Says which filters of the list the histogram leaves out, because the sums that it is read from do not have them; "" where none. */
export function leftOutText({ approval, q, errors, min_seconds, max_seconds }: RunFilter): string {
  const names = [approval && "needs approval", q && "text", errors && "errors", (min_seconds || max_seconds) && "duration"].filter(Boolean);
  if (!names.length) return "";
  return `All runs, without the ${names.length > 1 ? "filters" : "filter"} ${names.join(", ")}`;
}
