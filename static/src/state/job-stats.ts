import type { EndCounts, JobStats } from "../client/jobStats";
import { count, quantity } from "./format";
import { statusWord } from "./marks";

/** What a page of a job looks back at, the shortest first. */
export const WINDOWS = [
  { value: "24h", name: "Last 24 hours" },
  { value: "7d", name: "Last 7 days" },
  { value: "30d", name: "Last 30 days" },
] as const;

type JobWindow = (typeof WINDOWS)[number]["value"];

const LENGTH = { hour: 3_600_000, day: 86_400_000 };
const DAY = new Intl.DateTimeFormat("en", { day: "numeric", month: "short", timeZone: "UTC" });
const HOUR = new Intl.DateTimeFormat("en", { weekday: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

const WEEKDAY = new Intl.DateTimeFormat("en", { weekday: "short", day: "numeric" });
const CLOCK = new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const MOST_LINES = 3;
const MOST_NAMES = 8;

/** An hour or a day of the histogram. */
export interface Column {
  at: number;
  ok: number;
  fail: number;
  off: number;
  text: string;
}

export const windowOf = (text: string | null): JobWindow => WINDOWS.find(({ value }) => value === text)?.value ?? "7d";

/** Returns each hour or day of the time, also those in which no run ended. Days are those of UTC, as the server has them. */
export function columnsOf({ since, until, unit, times }: Pick<JobStats, "since" | "until" | "unit" | "times">): Column[] {
  const length = LENGTH[unit];
  const known = new Map(times.map(({ at, counts }) => [Date.parse(at), counts]));
  const first = Math.floor(Date.parse(since) / length) * length;
  const columns: Column[] = [];
  for (let at = first; at <= Date.parse(until); at += length) columns.push(columnOf(at, unit, known.get(at) ?? {}));
  return columns;
}

function columnOf(at: number, unit: JobStats["unit"], { SUCCESS: ok = 0, FAILURE: fail = 0, REVOKED: off = 0 }: EndCounts): Column {
  const name = unit === "day" ? DAY.format(at) : HOUR.format(at);
  return { at, ok, fail, off, text: `${name}: ${endsText({ SUCCESS: ok, FAILURE: fail, REVOKED: off })}` };
}

/** The heights at which a histogram has lines: whole numbers, the last one not below the highest column. */
export function linesOf(highest: number): number[] {
  const rough = highest / MOST_LINES;
  const power = 10 ** Math.floor(Math.log10(Math.max(1, rough)));
  const step = Math.max(1, ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power);
  const lines = Math.max(1, Math.ceil(highest / step));
  return Array.from({ length: lines + 1 }, (_, n) => n * step);
}

/** Names of some columns, so that their names have room: "Mon", "3 Nov"; of hours the whole days, or the sixth hours of one day. */
export function namesOf(columns: readonly Column[], unit: JobStats["unit"]): { at: number; name: string }[] {
  const starts = columns.map(({ at }, n) => ({ at: n / columns.length, time: new Date(at) }));
  if (unit === "day") return thinned(starts).map(({ at, time }) => ({ at, name: DAY.format(time) }));
  const days = starts.filter(({ time }) => time.getHours() === 0);
  if (days.length > 2) return thinned(days).map(({ at, time }) => ({ at, name: WEEKDAY.format(time) }));
  return starts.filter(({ time }) => time.getHours() % 6 === 0).map(({ at, time }) => ({ at, name: CLOCK.format(time) }));
}

const thinned = <T>(all: readonly T[]): T[] => all.filter((_, n) => n % Math.ceil(all.length / MOST_NAMES) === 0);

export const total = ({ SUCCESS = 0, FAILURE = 0, REVOKED = 0 }: EndCounts): number => SUCCESS + FAILURE + REVOKED;

/** "24 runs, 2 failed, 1 cancelled"; "no run". */
export function endsText(counts: EndCounts): string {
  const all = total(counts);
  const others = (["FAILURE", "REVOKED"] as const).filter((status) => counts[status]);
  return all ? [quantity(all, "run"), ...others.map((status) => `${count(counts[status] ?? 0)} ${statusWord(status)}`)].join(", ") : "no run";
}

/** "3.1 %"; "none" where nothing failed; empty where nothing was decided. */
export function rateText(rate: number | null): string {
  if (rate === null) return "";
  if (rate === 0) return "none";
  const percent = 100 * rate;
  return `${percent < 10 ? Math.max(0.1, percent).toFixed(1) : Math.round(percent)} %`;
}
