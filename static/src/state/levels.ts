type LevelKind = "debug" | "info" | "warn" | "error";

export interface Level {
  /** As the server sends it. */
  name: string;
  /** As a line shows it. */
  label: string;
  /** The class of a line in lines.css. */
  kind: LevelKind;
  /** The filter that shows lines of this level and worse ones; the least severe level needs none. */
  filter: string | null;
}

/** The levels of a log, the least severe first. */
export const LEVELS: readonly Level[] = [
  { name: "DEBUG", label: "DEBUG", kind: "debug", filter: null },
  { name: "INFO", label: "INFO", kind: "info", filter: "Info and worse" },
  { name: "WARNING", label: "WARN", kind: "warn", filter: "Warnings and worse" },
  { name: "ERROR", label: "ERROR", kind: "error", filter: "Errors and worse" },
  { name: "CRITICAL", label: "CRIT", kind: "error", filter: "Critical only" },
];

const BY_NAME = new Map(LEVELS.map((level) => [level.name, level]));

/** Returns the level of a line. A name that no level has is shown as it is, like INFO. */
export const levelOf = (name: string): Pick<Level, "label" | "kind"> => BY_NAME.get(name) ?? { label: name, kind: "info" };

export const isLevel = (name: string): boolean => BY_NAME.has(name);

/** Whether a level is at least as severe as another; an unknown one is less severe than all. */
export const isAtLeast = (name: string, least: string): boolean => severity(name) >= severity(least);

const severity = (name: string): number => LEVELS.findIndex((level) => level.name === name);
