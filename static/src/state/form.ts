import { jsonText, parseUsers } from "../client/json";
import type { FieldErrors } from "../client/problem";
import type { Schema } from "../client/types";
import { MASK } from "./secrets";

/** The content of the inputs, in the shape of the value: text (of choices and JSON fields: JSON), a checkbox, and lists and
 * objects of these; null for an object that is left out. */
export type Draft = string | boolean | null | readonly Draft[] | { readonly [name: string]: Draft };

type Kind = "object" | "list" | "enum" | "boolean" | "integer" | "number" | "date" | "moment" | "string" | "json";

const LONG_TEXT = 1_000;

/** How a parameter is entered; a type without an input of its own is entered as JSON. */
export function kindOf(schema: Schema): Kind {
  if (schema.enum) return "enum";
  const type = typeOf(schema);
  if (type === "object") return schema.properties ? "object" : "json";
  if (type === "array") return schema.items ? "list" : "json";
  if (type === "string" && schema.format === "date") return "date";
  if (type === "string" && schema.format === "date-time") return "moment";
  return type === "boolean" || type === "integer" || type === "number" || type === "string" ? type : "json";
}

const typeOf = ({ type }: Schema): string | undefined =>
  Array.isArray(type) ? type.find((name) => name !== "null") : type;

export const isLong = (schema: Schema): boolean => (schema.maxLength ?? 0) > LONG_TEXT;

/** Whether an object may be left out, and has required fields when it is not. */
export const isExtra = (schema: Schema, required: boolean): boolean =>
  kindOf(schema) === "object" && !required && Boolean(schema.required?.length);

/** The fields of an object schema as [name, schema, required]. */
export function fieldsOf(schema: Schema): [string, Schema, boolean][] {
  const required = schema.required ?? [];
  return Object.entries(schema.properties ?? {}).map(([name, field]) => [name, field, required.includes(name)]);
}

/** Returns the content of a new form: the defaults of the schema. */
export function draftOf(schema: Schema, required = true, given: unknown = schema.default): Draft {
  const kind = kindOf(schema);
  // What is masked has to be typed again; within JSON it stays, so that one sees where.
  if (given === MASK) given = undefined;
  const missing = given === undefined || given === null;
  if (kind === "object") {
    if (missing && isExtra(schema, required)) return null;
    const values = (given ?? {}) as Record<string, unknown>;
    const parts = fieldsOf(schema).map(([name, field, needed]) => [
      name,
      draftOf(field, needed, values[name] ?? field.default ?? values[name]),
    ]);
    return Object.fromEntries(parts) as Draft;
  }
  if (kind === "list") {
    const items = Array.isArray(given) ? given : Array<undefined>(required ? (schema.minItems ?? 0) : 0).fill(undefined);
    return items.map((item: unknown, at) => draftOf(itemAt(schema, at), true, item));
  }
  if (kind === "boolean") return given === true;
  if (missing) return kind === "json" && required && given === null ? "null" : "";
  if (kind === "moment") return localMoment(String(given));
  return kind === "enum" || kind === "json" ? jsonText(given) : String(given);
}

/** Returns a time as an input of the browser has it: in the user's zone, without naming it, and with the seconds it has. */
function localMoment(timestamp: string): string {
  const at = new Date(timestamp);
  if (Number.isNaN(at.getTime())) return "";
  return new Date(at.getTime() - 60_000 * at.getTimezoneOffset()).toISOString().replace(/(:00)?(\.000)?Z$/, "");
}

/** The schema of one item of a list. */
export const itemAt = ({ items = {}, prefixItems = [] }: Schema, at: number): Schema => prefixItems[at] ?? items;

/** Returns the content of a new list item. */
export const itemOf = ({ items = {} }: Schema, given: unknown = items.default): Draft => draftOf(items, true, given);

interface Collected {
  value: unknown;
  errors: FieldErrors;
}

/** Returns the value of a form, and its errors by dotted path. An empty input is left out, so that the server's default
 * is used. */
export function collect(schema: Schema, draft: Draft, path: string, required = true): Collected {
  if (draft === null) return { value: undefined, errors: {} };
  if (typeof draft === "boolean") return { value: draft, errors: {} };
  if (typeof draft === "string") return read(schema, draft, path, required);
  if (Array.isArray(draft)) return collectList(schema, draft as readonly Draft[], path, required);
  const value: Record<string, unknown> = {};
  const errors: FieldErrors = {};
  for (const [name, field, needed] of fieldsOf(schema)) {
    const part = collect(field, (draft as Record<string, Draft>)[name] ?? "", `${path}.${name}`, needed);
    if (part.value !== undefined) value[name] = part.value;
    Object.assign(errors, part.errors);
  }
  const given = required || isExtra(schema, required) || Object.keys(value).length > 0;
  return { value: given ? value : undefined, errors };
}

function collectList(schema: Schema, draft: readonly Draft[], path: string, required: boolean): Collected {
  if (!draft.length && !required) return { value: undefined, errors: {} };
  const parts = draft.map((item, at) => collect(itemAt(schema, at), item, `${path}.${at}`));
  const errors = Object.assign({}, ...parts.map((part) => part.errors)) as FieldErrors;
  const least = schema.minItems ?? 0;
  if (draft.length < least) errors[path] = [least === 1 ? "Add one at least." : `Add ${least} at least.`];
  return { value: parts.map((part) => part.value), errors };
}

function read(schema: Schema, text: string, path: string, required: boolean): Collected {
  const kind = kindOf(schema);
  const wrong = (message: string): Collected => ({ value: undefined, errors: { [path]: [message] } });
  if (kind === "string") {
    if (text) return { value: text, errors: {} };
    if (required && (schema.minLength ?? 0) > 0) return wrong("Fill this in.");
    return { value: required || schema.default ? "" : undefined, errors: {} };
  }
  if (!text.trim()) {
    return required && schema.default === undefined ? wrong("Fill this in.") : { value: undefined, errors: {} };
  }
  if (kind === "date") return { value: text, errors: {} };
  if (kind === "moment") {
    const at = new Date(text);
    return Number.isNaN(at.getTime()) ? wrong("Enter a date and a time.") : { value: at.toISOString(), errors: {} };
  }
  if (kind === "integer" || kind === "number") {
    const long = /^[+-]?\d{16,}$/.test(text.trim());
    const value = long ? BigInt(text.trim().replace("+", "")) : Number(text);
    if (!long && !Number.isFinite(value)) return wrong("Enter a number.");
    if (kind === "integer" && !long && !Number.isSafeInteger(value)) return wrong("Enter a whole number.");
    if (schema.minimum !== undefined && value < schema.minimum) return wrong(`Enter ${schema.minimum} or more.`);
    if (schema.maximum !== undefined && value > schema.maximum) return wrong(`Enter ${schema.maximum} or less.`);
    return { value, errors: {} };
  }
  try {
    const value = parseUsers(text);
    const plain = typeof value === "object" && value !== null && !Array.isArray(value);
    return typeOf(schema) === "object" && !plain ? wrong('Enter a JSON object: {"name": …}.') : { value, errors: {} };
  } catch {
    return wrong("This is not valid JSON.");
  }
}

/** Returns the errors of one field, which the server may name with or without `params`. With `inside` also those of its
 * parts, for a field that is entered as JSON. */
export function errorsAt(errors: FieldErrors, path: string, inside: boolean): string[] {
  return Object.entries(errors).flatMap(([name, messages]) => {
    const at = pathOf(name);
    if (at === path) return messages;
    return inside && at.startsWith(`${path}.`) ? messages.map((text) => `${at.slice(path.length + 1)}: ${text}`) : [];
  });
}

/** Returns the errors that no field of the form shows. */
export function errorsElsewhere(errors: FieldErrors, paths: string[]): string[] {
  return Object.entries(errors).flatMap(([name, messages]) =>
    paths.some((path) => pathOf(name) === path || pathOf(name).startsWith(`${path}.`))
      ? []
      : messages.map((text) => (name ? `${name}: ${text}` : text)),
  );
}

const TOP_LEVEL = ["job_type", "title", "approval", "params"];

function pathOf(name: string): string {
  const bare = name.replace(/^json\./, "");
  return TOP_LEVEL.includes(bare.split(".")[0] ?? "") ? bare : `params.${bare}`;
}

/** "num_questions" → "Num questions". */
export const labelOf = (name: string, schema: Schema): string => {
  const words = name.replaceAll("_", " ");
  return schema.title ?? words.charAt(0).toUpperCase() + words.slice(1);
};
