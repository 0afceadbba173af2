import type { FieldErrors } from "../client/http";
import type { Schema } from "../client/types";

/** What stands in the inputs, by dotted path: text, or a tick. Choices and JSON fields hold JSON. */
export type Inputs = Record<string, string | boolean>;

export type Kind = "object" | "enum" | "boolean" | "integer" | "number" | "string" | "json";

const LONG_TEXT = 1_000;

/** How a parameter is entered; what has no input of its own is entered as JSON. */
export function kindOf(schema: Schema): Kind {
  if (schema.enum) return "enum";
  const type = Array.isArray(schema.type) ? schema.type.find((name) => name !== "null") : schema.type;
  if (type === "object") return schema.properties ? "object" : "json";
  return type === "boolean" || type === "integer" || type === "number" || type === "string" ? type : "json";
}

export const isLong = (schema: Schema): boolean => (schema.maxLength ?? 0) > LONG_TEXT;

/** The fields of an object schema as [path, schema, required]. */
export function fieldsOf(schema: Schema, path: string): [string, Schema, boolean][] {
  const required = schema.required ?? [];
  return Object.entries(schema.properties ?? {}).map(([name, field]) => [
    `${path}.${name}`,
    field,
    required.includes(name),
  ]);
}

/** The inputs of a fresh form: the schema's defaults. */
export function initialInputs(schema: Schema, path: string, given: unknown = schema.default): Inputs {
  const kind = kindOf(schema);
  if (kind === "object") {
    const values = (given ?? {}) as Record<string, unknown>;
    const parts = fieldsOf(schema, path).map(([at, field]) =>
      initialInputs(field, at, values[nameOf(at)] ?? field.default),
    );
    return Object.assign({}, ...parts) as Inputs;
  }
  if (kind === "boolean") return { [path]: given === true };
  if (given === undefined || given === null) return { [path]: "" };
  return { [path]: kind === "enum" || kind === "json" ? JSON.stringify(given) : String(given) };
}

/** The value of a form, and by path what is wrong with it. An input left empty is left out, so that the server's
 * default holds. */
export function collect(
  schema: Schema,
  inputs: Inputs,
  path: string,
  required = true,
): { value: unknown; errors: FieldErrors } {
  const kind = kindOf(schema);
  if (kind === "object") {
    const value: Record<string, unknown> = {};
    const errors: FieldErrors = {};
    for (const [at, field, needed] of fieldsOf(schema, path)) {
      const part = collect(field, inputs, at, needed);
      if (part.value !== undefined) value[nameOf(at)] = part.value;
      Object.assign(errors, part.errors);
    }
    return { value: required || Object.keys(value).length ? value : undefined, errors };
  }
  const input = inputs[path];
  if (typeof input === "boolean") return { value: input, errors: {} };
  const text = input ?? "";
  const wrong = (message: string) => ({ value: undefined, errors: { [path]: [message] } });
  if (kind === "string") {
    if (text) return { value: text, errors: {} };
    if (required && (schema.minLength ?? 0) > 0) return wrong("Fill this in.");
    return { value: required || schema.default ? "" : undefined, errors: {} };
  }
  if (!text.trim()) {
    return required && schema.default === undefined ? wrong("Fill this in.") : { value: undefined, errors: {} };
  }
  if (kind === "integer" || kind === "number") {
    const value = Number(text);
    if (!Number.isFinite(value)) return wrong("Enter a number.");
    if (kind === "integer" && !Number.isSafeInteger(value)) return wrong("Enter a whole number.");
    if (schema.minimum !== undefined && value < schema.minimum) return wrong(`Enter ${schema.minimum} or more.`);
    if (schema.maximum !== undefined && value > schema.maximum) return wrong(`Enter ${schema.maximum} or less.`);
    return { value, errors: {} };
  }
  try {
    return { value: JSON.parse(text) as unknown, errors: {} };
  } catch {
    return wrong("This is not valid JSON.");
  }
}

/** The messages for one field, whether the server names it in full or from the parameters on. What is wrong inside a
 * JSON field is said at that field. */
export function errorsAt(errors: FieldErrors, path: string, inside: boolean): string[] {
  return Object.entries(errors).flatMap(([name, messages]) => {
    const at = pathOf(name);
    if (at === path) return messages;
    return inside && at.startsWith(`${path}.`) ? messages.map((text) => `${at.slice(path.length + 1)}: ${text}`) : [];
  });
}

/** The messages that no field of the form shows. */
export function errorsElsewhere(errors: FieldErrors, paths: string[]): string[] {
  return Object.entries(errors).flatMap(([name, messages]) =>
    paths.some((path) => pathOf(name) === path || pathOf(name).startsWith(`${path}.`))
      ? []
      : messages.map((text) => (name ? `${name}: ${text}` : text)),
  );
}

const TOP_LEVEL = ["job_type", "title", "params"];

function pathOf(name: string): string {
  const bare = name.replace(/^json\./, "");
  return TOP_LEVEL.includes(bare.split(".")[0] ?? "") ? bare : `params.${bare}`;
}

const nameOf = (path: string): string => path.slice(path.lastIndexOf(".") + 1);

/** "num_questions" → "Num questions". */
export const labelOf = (path: string, schema: Schema): string => {
  const words = nameOf(path).replaceAll("_", " ");
  return schema.title ?? words.charAt(0).toUpperCase() + words.slice(1);
};
