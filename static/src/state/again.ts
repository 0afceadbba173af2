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
    if (!value.every((item) => schemaWith(items, item) === items)) return { ...schema, items: {} };
    return value.includes(MASK) ? { ...schema, items: filled(items, MASK) } : schema;
  }
  if (kind !== "object" || !isObject(value)) return schema;
  const known = schema.properties ?? {};
  const own = (name: string): unknown => (Object.hasOwn(value, name) ? value[name] : undefined);
  const named = fieldsOf(schema).map(([name, field, required]) => [name, required ? filled(schemaWith(field, own(name)), own(name)) : schemaWith(field, own(name))] as const);
  const more = schema.additionalProperties === false ? [] : Object.keys(value).filter((name) => !Object.hasOwn(known, name));
  if (!more.length && named.every(([name, field]) => field === known[name])) return schema;
  const others = more.map((name) => [name, filled(fieldOf(name, value[name], schema.additionalProperties), value[name])] as const);
  return { ...schema, properties: Object.fromEntries([...named, ...others]), required: [...(schema.required ?? []), ...more] };
}

/** Returns the field of a value that no schema names. `rest`: what its schema says of all such values. */
function fieldOf(name: string, value: unknown, rest: unknown): Schema {
  if (isObject(rest)) return schemaWith(rest as Schema, value);
  if (value === MASK || (isSecret(name) && typeof value === "string")) return { type: "string", format: "password", minLength: 1 };
  if (isObject(value) && hasMask(value)) return schemaWith({ type: "object", properties: {} }, value);
  if (typeof value === "string") return { type: "string", ...(value.includes("\n") || value.length > LONG ? { maxLength: LONGEST } : {}) };
  return typeof value === "number" || typeof value === "boolean" ? { type: typeof value } : {};
}

/** A field of what is masked, which nobody may leave empty: that would be another secret. */
const filled = (field: Schema, value: unknown): Schema =>
  value === MASK && kindOf(field) === "string" ? { ...field, minLength: Math.max(1, field.minLength ?? 0) } : field;

const hasMask = (value: unknown): boolean =>
  value === MASK || (typeof value === "object" && value !== null && Object.values(value).some(hasMask));

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);
