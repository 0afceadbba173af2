/** Times and durations as text. Timestamps are RFC 3339, as the server sends them. */

const EXACT = new Intl.DateTimeFormat(undefined, {
  weekday: "short",
  year: "numeric",
  month: "short",
  day: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  fractionalSecondDigits: 3,
  hourCycle: "h23",
  timeZoneName: "short",
});

const AGO: [seconds: number, unit: string][] = [
  [86_400, "d"],
  [3_600, "h"],
  [60, "min"],
];

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

/** As a clock, rounded as a duration is, so that one time is the same everywhere: 6 → "0:06", 3720 → "1:02:00". */
export function timer(seconds: number): string {
  const whole = Math.round(Math.max(0, seconds));
  const [hours, minutes] = [Math.floor(whole / 3_600), Math.floor((whole % 3_600) / 60)];
  return `${hours ? `${hours}:${pad(minutes)}` : minutes}:${pad(whole % 60)}`;
}

/** Returns the seconds from `start` to `end` or `now` (milliseconds); null without a start. */
export function elapsed(start: string | null, end: string | null, now: number): number | null {
  if (!start) return null;
  const until = end ? Date.parse(end) : now;
  return Math.max(0, (until - Date.parse(start)) / 1_000);
}

/** The local time of day to the millisecond; of a timestamp or of milliseconds. */
export function clock(time: string | number): string {
  const at = new Date(time);
  return `${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}.${pad(at.getMilliseconds(), 3)}`;
}

/** The local time of day, to the minute. */
export function minute(timestamp: string): string {
  const at = new Date(timestamp);
  return `${pad(at.getHours())}:${pad(at.getMinutes())}`;
}

/** The local time of day, with the date when that is not today. */
export function moment(timestamp: string): string {
  const at = new Date(timestamp);
  const time = minute(timestamp);
  if (at.toDateString() === new Date().toDateString()) return time;
  return `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())} ${time}`;
}

/** "just now", "3 min ago", "5 h ago"; the moment when it is older than a week. `now` in milliseconds. */
export function ago(timestamp: string, now: number): string {
  const seconds = (now - Date.parse(timestamp)) / 1_000;
  if (seconds >= 7 * 86_400) return moment(timestamp);
  const [length, unit] = AGO.find(([step]) => seconds >= step) ?? [0, ""];
  return length ? `${Math.floor(seconds / length)} ${unit} ago` : "just now";
}

/** The time in the zone of the user, with its zone. */
export const local = (timestamp: string): string => EXACT.format(new Date(timestamp));

/** The zone of the user at a time: "Europe/Berlin, UTC+1". */
export function zoneOf(at: Date): string {
  if (Number.isNaN(at.getTime())) return zoneOf(new Date());
  const { timeZone } = new Intl.DateTimeFormat().resolvedOptions();
  const named = new Intl.DateTimeFormat("en", { timeZoneName: "shortOffset" }).formatToParts(at);
  const offset = named.find(({ type }) => type === "timeZoneName")?.value.replace("GMT", "UTC");
  return timeZone === offset ? timeZone : `${timeZone}, ${offset}`;
}

/** The time with its zone, and on a second line as the server wrote it. */
export const exact = (timestamp: string): string => `${local(timestamp)}\n${timestamp}`;
