import type { Task } from "../client/types";

/** Figures as text; every function takes what the server sends and copes with its nulls. */

const pad = (value: number, width = 2): string => String(value).padStart(width, "0");

/** 0.008 → "8 ms", 4.1 → "4.1 s", 72 → "1 m 12 s", 3720 → "1 h 02 m". */
export function duration(seconds: number): string {
  if (seconds > 0 && seconds < 0.0995) return `${Math.ceil(1_000 * seconds)} ms`;
  if (seconds < 9.95) return `${Math.max(0, seconds).toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3_600) return `${Math.floor(whole / 60)} m ${pad(whole % 60)} s`;
  return `${Math.floor(whole / 3_600)} h ${pad(Math.floor((whole % 3_600) / 60))} m`;
}

/** Seconds from `start` to `end` or `now` (milliseconds); null without a start. */
export function elapsed(start: string | null, end: string | null, now: number): number | null {
  if (!start) return null;
  const until = end ? Date.parse(end) : now;
  return Math.max(0, (until - Date.parse(start)) / 1_000);
}

/** The local time of day to the millisecond. */
export function clock(timestamp: string): string {
  const at = new Date(timestamp);
  return `${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}.${pad(at.getMilliseconds(), 3)}`;
}

/** The local time of day, with the date when that is not today. */
export function moment(timestamp: string): string {
  const at = new Date(timestamp);
  const time = `${pad(at.getHours())}:${pad(at.getMinutes())}`;
  if (at.toDateString() === new Date().toDateString()) return time;
  return `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())} ${time}`;
}

export const count = (value: number): string => value.toLocaleString("en");

/** Whether someone gave the task a title of its own. */
export const namedBy = (task: Task): boolean => Boolean(task.title) && task.title !== `Task: ${task.job_type}`;

export const shortId = (id: string): string => id.slice(0, 8);

/** Whole percent, never 100 before it is. */
export const percent = (progress: number | null): number => Math.floor(Math.min(100, Math.max(0, progress ?? 0)));

export const pretty = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value, null, 2));
