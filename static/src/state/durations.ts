import type { RunFilter } from "./filter";

type Bounds = Pick<RunFilter, "min_seconds" | "max_seconds">;

interface DurationChoice extends Bounds {
  /** As a list of choices has it. */
  value: string;
  name: string;
}

const choice = (min_seconds: string, max_seconds: string, name: string): DurationChoice => ({ value: `${min_seconds}-${max_seconds}`, min_seconds, max_seconds, name });

const CHOICES = [
  choice("", "", "Any duration"),
  choice("", "10", "Up to 10 s"),
  choice("60", "", "Over a minute"),
  choice("600", "", "Over 10 minutes"),
  choice("3600", "", "Over an hour"),
];

/** Returns what the filter offers, with what the address says where that is another one; the first is any. */
export function durationChoices({ min_seconds, max_seconds }: Bounds): DurationChoice[] {
  const value = `${min_seconds}-${max_seconds}`;
  if (CHOICES.some((known) => known.value === value)) return CHOICES;
  const name = [min_seconds && `over ${min_seconds} s`, max_seconds && `up to ${max_seconds} s`].filter(Boolean).join(", ");
  return [...CHOICES, choice(min_seconds, max_seconds, `${name[0]?.toUpperCase()}${name.slice(1)}`)];
}

export const durationOf = ({ min_seconds, max_seconds }: Bounds): string => `${min_seconds}-${max_seconds}`;

/** Returns the bounds of what was chosen. */
export function durationBounds(value: string): Bounds {
  const [min_seconds = "", max_seconds = ""] = value.split("-");
  return { min_seconds, max_seconds };
}
