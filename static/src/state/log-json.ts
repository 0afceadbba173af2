import { parseAsWritten } from "../client/json";
import type { LogLine } from "../client/types";
import { Numeral } from "./numeral";

const known = new WeakMap<LogLine, unknown>();

/** Returns the list or object that a line consists of; undefined for any other line. */
export function jsonOf(line: LogLine): unknown {
  const text = line.message;
  // Looked at for each line that is drawn.
  const first = text.charCodeAt(0);
  if (first !== 123 && first !== 91) return undefined;
  if (!known.has(line)) known.set(line, parsed(text));
  return known.get(line);
}

function parsed(text: string): unknown {
  try {
    const value = parseAsWritten(text, (digits) => new Numeral(digits));
    return typeof value === "object" && value && Object.keys(value).length ? value : undefined;
  } catch {
    // It only begins like one.
    return undefined;
  }
}
