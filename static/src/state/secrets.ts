import type { Schema } from "../client/types";

const NAME = /(^|[_-])(password|passphrase|token|secret|authorization|api[_-]?key|credentials?)$/i;
const HIDDEN = "••••••";
/** What the server, or a reporter, has put in place of a secret: no page is sent that. */
export const MASK = "[redacted]";

/** Whether a parameter is not to be read over somebody's shoulder: by its schema, or by its name. */
export const isSecret = (name: string, { format, writeOnly }: Schema = {}): boolean =>
  format === "password" || writeOnly === true || NAME.test(name.replace(/([a-z\d])(?=[A-Z])/g, "$1_"));

/** Returns a value without what is named as a secret: texts, numbers, and all that is in a list or an object. */
export function masked(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(masked);
  if (typeof value !== "object" || value === null) return value;
  const parts = Object.entries(value).map(([name, part]) => [name, isSecret(name) && hides(part) ? HIDDEN : masked(part)]);
  return Object.fromEntries(parts);
}

const hides = (part: unknown): boolean => part !== null && part !== "" && typeof part !== "boolean";
