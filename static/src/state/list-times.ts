import { HOUR_MS } from "./list-days";

/** What a list looks back at. */
export const TIMES = [
  { value: "today", name: "Today" },
  { value: "24h", name: "Last 24 hours" },
  { value: "7d", name: "Last 7 days" },
  { value: "30d", name: "Last 30 days" },
] as const;

export type TimeName = (typeof TIMES)[number]["value"];

const LENGTH: Record<Exclude<TimeName, "today">, number> = { "24h": 24 * HOUR_MS, "7d": 168 * HOUR_MS, "30d": 720 * HOUR_MS };
/** The histogram of a list of any time has this one. */
const SHOWN: TimeName = "7d";

interface Chosen {
  time: TimeName | "";
  from: string;
  to: string;
}

interface Bounds {
  from?: string | undefined;
  to?: string | undefined;
}

/** Whether a text of an address is a time as the server takes it. */
export const isTime = (text: string | null): boolean => /^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)$/.test(text ?? "") && !Number.isNaN(Date.parse(text ?? ""));

export const timeText = (at: number): string => new Date(at).toISOString().replace(".000Z", "Z");

/** Returns the bounds of a list: a chosen time, else that before now. Both are whole hours, which the server counts without looking. */
export function boundsOf({ time, from, to }: Chosen, now: number): Bounds {
  if (from || to) return { from: from || undefined, to: to || undefined };
  return time ? { from: timeText(beginOf(time, now)) } : {};
}

/** When a time before now begins, in milliseconds: a whole hour; today at midnight here. */
export function beginOf(time: TimeName, now: number): number {
  if (time === "today") return new Date(now).setHours(0, 0, 0, 0);
  return Math.floor((now - LENGTH[time]) / HOUR_MS) * HOUR_MS;
}

/** Returns what the histogram of a list shows: the time that the list looks back at, or the one around a choice that is not within it. */
export function shownOf({ time, from, to }: Chosen, now: number): { from: number; to: number } {
  const end = Math.ceil(now / HOUR_MS) * HOUR_MS;
  const shown = { from: beginOf(time || SHOWN, now), to: end };
  const chosen = { from: from ? Date.parse(from) : shown.from, to: to ? Date.parse(to) : end };
  const within = chosen.from >= shown.from && chosen.to <= shown.to;
  if (within || chosen.from >= chosen.to) return shown;
  const around = chosen.to - chosen.from;
  return { from: Math.floor((chosen.from - around) / HOUR_MS) * HOUR_MS, to: Math.ceil(Math.min(end, chosen.to + around) / HOUR_MS) * HOUR_MS };
}
