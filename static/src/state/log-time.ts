import type { Times } from "./log-settings";
import { clock } from "./time";

/** A pause that is worth a look. */
const LONG_MS = 1_000;

const pad = (value: number, width = 2): string => String(value).padStart(width, "0");

/** 83.4 s → "1:23.400", with hours only where there are some. */
function stretch(milliseconds: number): string {
  const all = Math.max(0, Math.round(milliseconds));
  const [hours, minutes] = [Math.floor(all / 3_600_000), Math.floor(all / 60_000) % 60];
  const rest = `${pad(Math.floor(all / 1_000) % 60)}.${pad(all % 1_000, 3)}`;
  return hours ? `${hours}:${pad(minutes)}:${rest}` : `${minutes}:${rest}`;
}

/** Returns the time of a line as the reader wants it. `start` is in milliseconds, `before` the time of the line before; where
 * they are not known the text is empty. */
export function timeText(times: Times, timestamp: string, start: number | null, before: string | null): string {
  const at = Date.parse(timestamp);
  if (times === "clock") return clock(timestamp);
  if (times === "start") return start === null ? "" : stretch(at - start);
  return before === null ? "" : `+${stretch(at - Date.parse(before)).replace(/^0:0?/, "")}`;
}

/** Whether a line came long after the one before. */
export const isLate = (timestamp: string, before: string | null): boolean =>
  before !== null && Date.parse(timestamp) - Date.parse(before) >= LONG_MS;
