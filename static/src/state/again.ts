import type { Schema, Task } from "../client/types";
import { hasTitle } from "./format";
import { fieldsOf, kindOf } from "./form";
import { isSecret, MASK } from "./secrets";

/** Room for any text: an input of one line would drop its line breaks. */
const LONGEST = 64 * 1024;
const LONG = 80;

/** Returns the title that a run was given; empty where it has that of its job type. */
export const ownTitle = (task: Task | undefined): string => (task && hasTitle(task) ? task.title : "");

/** Returns the schema of a form for the parameters of a run: with a field also for each value that the schema takes and does
 * not name, for a job type may take any. What is not shown, and must be given, has to be filled in. */
export const schemaFor = (schema: Schema, { params }: Task): Schema => schemaWith({ properties: {}, ...schema }, params ?? {});

function schemaWith(schema: Schema, value: unknown): Schema {
  const kind = kindOf(schema);
  if (kind === "list" && Array.isArray(value)) {
    const { items = {} } = schema;
    // One form for all items has no fields that only some of them need.
    if (!value.every((item) => covers(items, item))) return { ...schema, items: {} };
    const all = value.reduce((field: Schema, item) => (item === MASK ? hidden(field, true, "") : schemaWith(field, item)), items);
    return all === items ? schema : { ...schema, items: all };
  }
  if (kind !== "object" || !isObject(value)) return schema;
  const known = schema.properties ?? {};
  const named = fieldsOf(schema).map(([name, field, required]) => {
    const part = ownOf(value, name);
    return [name, part === MASK ? hidden(field, required) : schemaWith(field, part)] as const;
  });
  const more = schema.additionalProperties === false ? [] : Object.keys(value).filter((name) => !Object.hasOwn(known, name));
  if (!more.length && named.every(([name, field]) => field === known[name])) return schema;
  const others = more.map((name) => [name, fieldOf(name, value[name], schema.additionalProperties)] as const);
  return { ...schema, properties: Object.fromEntries([...named, ...others]), required: [...(schema.required ?? []), ...more] };
}

/** Whether a schema has a field for each value, or takes no others. */
export function covers(schema: Schema, value: unknown): boolean {
  const kind = kindOf(schema);
  if (kind === "list" && Array.isArray(value)) return value.every((item) => covers(schema.items ?? {}, item));
  if (kind !== "object" || !isObject(value)) return true;
  const fields = fieldsOf(schema);
  const all = schema.additionalProperties === false || Object.keys(value).every((name) => fields.some(([known]) => known === name));
  return all && fields.every(([name, field]) => covers(field, ownOf(value, name)));
}

const ownOf = (value: Record<string, unknown>, name: string): unknown => (Object.hasOwn(value, name) ? value[name] : undefined);

/** Returns the field of a value that no schema names. `rest`: what its schema says of all such values. */
function fieldOf(name: string, value: unknown, rest: unknown): Schema {
  if (isObject(rest)) return value === MASK ? hidden(rest as Schema, true) : schemaWith(rest as Schema, value);
  const secret = { type: "string", format: "password", minLength: 1 };
  if (value === MASK) return hidden(secret, true);
  if (isSecret(name) && typeof value === "string") return secret;
  if (isObject(value) && hasMask(value)) return schemaWith({ type: "object", properties: {} }, value);
  if (typeof value === "string") return { type: "string", ...(value.includes("\n") || value.length > LONG ? { maxLength: LONGEST } : {}) };
  return typeof value === "number" || typeof value === "boolean" ? { type: typeof value } : {};
}

/** Returns the field of a value that is not shown. Where it must be given it must not be empty either: that would be another
 * secret. */
function hidden(field: Schema, required: boolean, why = `It was given and is not shown: type it again${required ? "" : ", or go without"}.`): Schema {
  const { description: about = "" } = field;
  const description = about.endsWith(why) ? about : `${about} ${why}`.trim();
  const least = required && kindOf(field) === "string" ? { minLength: Math.max(1, field.minLength ?? 0) } : {};
  return { ...field, ...(description && { description }), ...least };
}

/** Whether a value is, or has within it, what stands in place of a secret. */
export const hasMask = (value: unknown): boolean =>
  value === MASK || (typeof value === "object" && value !== null && Object.values(value).some(hasMask));

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);
