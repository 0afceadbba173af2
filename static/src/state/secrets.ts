import type { Schema } from "../client/types";

const NAME = /(^|[_-])(password|passphrase|token|secret|authorization|api[_-]?key|credentials?)$/i;
const HIDDEN = "••••••";

/** Whether a parameter is not to be read over somebody's shoulder: by its schema, or by its name. */
export const isSecret = (name: string, { format, writeOnly }: Schema = {}): boolean =>
  format === "password" || writeOnly === true || NAME.test(name);

/** Returns a value without the texts whose names say that they are secret. */
export function masked(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(masked);
  if (typeof value !== "object" || value === null) return value;
  const parts = Object.entries(value).map(([name, part]) => [name, typeof part === "string" && part && isSecret(name) ? HIDDEN : masked(part)]);
  return Object.fromEntries(parts);
}
