import { jsonText, parseUsers } from "../client/json";
import type { Schema } from "../client/types";

const NAMES = "password|passphrase|token|secret|authorization|api[_-]?key|credentials?";
const NAME = new RegExp(`(^|[_-])(${NAMES})$`, "i");
const NEAR = new RegExp(NAMES, "i");
const HIDDEN = "••••••";
/** What the server, or a reporter, has put in place of a secret: no page is sent that. */
export const MASK = "[redacted]";

/** Whether a parameter is not to be read over somebody's shoulder: by its schema, or by its name. */
export const isSecret = (name: string, { format, writeOnly }: Schema = {}): boolean =>
  format === "password" || writeOnly === true || NAME.test(name.replace(/([a-z\d])(?=[A-Z])/g, "$1_"));

/** Returns a value without what is named as a secret: texts, numbers, and all that is in a list or an object. */
export function masked(value: unknown, mask = HIDDEN): unknown {
  if (Array.isArray(value)) return value.map((part) => masked(part, mask));
  if (typeof value !== "object" || value === null) return value;
  const parts = Object.entries(value).map(([name, part]) => [name, isSecret(name) && hides(part) ? mask : masked(part, mask)]);
  return Object.fromEntries(parts);
}

/** Returns JSON as somebody types it without its secrets; nothing where it cannot be read yet and may have one. */
export function jsonWithoutSecrets(text: string): string {
  if (!NEAR.test(text)) return text;
  try {
    return jsonText(masked(parseUsers(text), MASK));
  } catch {
    return "";
  }
}

const hides = (part: unknown): boolean => part !== null && part !== "" && typeof part !== "boolean";
