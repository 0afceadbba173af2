import type { LogFilter, LogLine } from "../client/types";
import { isAtLeast } from "./levels";
import { hits } from "./log-hits";

/** Returns the filter that only errors pass: also those of items that are counted as failed, where their level is shown. */
export const errorsOf = ({ level, phase }: LogFilter): LogFilter =>
  level === "ERROR" || level === "CRITICAL" ? { level, phase } : { errors: true, phase };

/** Whether a line passes a filter, as the server decides it. */
export function passes({ level, phase, q, errors }: LogFilter, line: LogLine): boolean {
  if (level && !isAtLeast(line.level, level)) return false;
  if (errors && !line.item_error && !isAtLeast(line.level, "ERROR")) return false;
  if (q && !hits(line.message, q).length) return false;
  return !phase || line.phase === phase;
}

export const sameFilter = (one: LogFilter, other: LogFilter): boolean =>
  (["level", "phase", "q", "errors"] as const).every((name) => (one[name] || "") === (other[name] || ""));
