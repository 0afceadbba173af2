import type { LogLine } from "../client/types";

/** Whether the next line of the same source takes the place of a line: a progress bar, which ends with `\r`. */
export const isReplaced = ({ message, component }: LogLine, next: LogLine | null): boolean =>
  next !== null && message.endsWith("\r") && next.component === component;
