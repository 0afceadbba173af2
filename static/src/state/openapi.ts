/** The part of an OpenAPI 3 document that the page shows. */
export interface Document {
  info: { title: string; version: string; description?: string };
  paths: Record<string, PathItem>;
}

interface Schema {
  $ref?: string;
  type?: string | string[];
  format?: string;
  description?: string;
  items?: Schema;
  enum?: unknown[];
  properties?: Record<string, Schema>;
  required?: string[];
}

interface Parameter {
  $ref?: string;
  name: string;
  in: string;
  required?: boolean;
  description?: string;
  schema?: Schema;
}

interface Body {
  $ref?: string;
  description?: string;
  content?: Record<string, { schema?: Schema }>;
}

interface OperationObject {
  summary?: string;
  description?: string;
  tags?: string[];
  parameters?: Parameter[];
  requestBody?: Body;
  responses?: Record<string, Body>;
  security?: Record<string, string[]>[];
}

type PathItem = { parameters?: Parameter[] } & Record<string, OperationObject | Parameter[] | undefined>;

export interface Field {
  name: string;
  type: string;
  required: boolean;
  note: string;
}

export interface Operation {
  method: string;
  path: string;
  text: string;
  /** Who may call it, in words; empty: anybody. */
  needs: string;
  parameters: Field[];
  body: Field[];
  answers: { status: string; text: string; fields: Field[] }[];
}

const METHODS = ["get", "post", "put", "patch", "delete"];

/** Returns the operations by tag, in the order of the document. */
export function operations(document: Document): Map<string, Operation[]> {
  const groups = new Map<string, Operation[]>();
  for (const [path, item] of Object.entries(document.paths)) {
    for (const method of METHODS) {
      const found = item[method] as OperationObject | undefined;
      if (!found) continue;
      const tag = found.tags?.[0] ?? "other";
      groups.set(tag, [...(groups.get(tag) ?? []), operation(document, method, path, item, found)]);
    }
  }
  return groups;
}

/** "GET /api/v2/tasks/{task_id}/status" → "get-api-v2-tasks-task_id-status": the same in every version of the page. */
export const anchorOf = ({ method, path }: Operation): string =>
  `${method} ${path}`.toLowerCase().split(/[^a-z0-9_]+/).filter(Boolean).join("-");

/** Whether a call has every word of `q` in its method, path or text. */
export function matching({ method, path, text }: Operation, q: string): boolean {
  const all = `${method} ${path} ${text}`.toLowerCase();
  return q.toLowerCase().split(/\s+/).every((word) => all.includes(word));
}

function operation(
  document: Document,
  method: string,
  path: string,
  item: PathItem,
  found: OperationObject,
): Operation {
  const parameters = [...(item.parameters ?? []), ...(found.parameters ?? [])].map((given) => {
    const parameter = resolve(document, given);
    const note = [`in ${parameter.in}`, parameter.description].filter(Boolean).join(": ");
    return {
      name: parameter.name,
      type: typeOf(parameter.schema),
      required: parameter.required ?? false,
      note,
    };
  });
  const answers = Object.entries(found.responses ?? {})
    .filter(([status]) => status !== "default")
    .map(([status, given]) => {
      const answer = resolve(document, given);
      return { status, text: answer.description ?? "", fields: fieldsOf(document, schemaIn(answer)) };
    });
  return {
    method: method.toUpperCase(),
    path,
    text: [found.summary, found.description].filter(Boolean).join(" ").replaceAll("`", ""),
    needs: needsOf(found.security?.flatMap((scheme) => Object.values(scheme).flat()) ?? []),
    parameters,
    body: found.requestBody ? fieldsOf(document, schemaIn(resolve(document, found.requestBody))) : [],
    answers,
  };
}

function needsOf([scope]: string[]): string {
  if (!scope) return "";
  return scope === "session" ? "A session; no API key may call it." : `A session, or an API key with the scope ${scope}.`;
}

const schemaIn = (body: Body): Schema | undefined => Object.values(body.content ?? {})[0]?.schema;

function fieldsOf(document: Document, given: Schema | undefined): Field[] {
  if (!given) return [];
  const schema = resolve(document, given);
  return Object.entries(schema.properties ?? {}).map(([name, property]) => ({
    name,
    type: typeOf(property),
    required: schema.required?.includes(name) ?? false,
    note: property.description ?? "",
  }));
}

/** A short name of a type: "string", "integer or null", "list of Task", "quiz, flashcards". */
function typeOf(given: Schema | undefined): string {
  if (!given) return "any";
  if (given.$ref) return given.$ref.split("/").at(-1) ?? "any";
  if (given.enum) return given.enum.map(String).join(", ");
  const types = [given.type ?? "any"].flat();
  return types.map((type) => (type === "array" ? `list of ${typeOf(given.items)}` : type)).join(" or ");
}

/** Follows a reference within the document; throws when there is nothing at its end. */
function resolve<T extends { $ref?: string }>(document: Document, given: T): T {
  if (!given.$ref) return given;
  let found: unknown = document;
  for (const part of given.$ref.split("/").slice(1)) found = (found as Record<string, unknown> | undefined)?.[part];
  if (!found) throw new Error(`${given.$ref} is not in the document`);
  return found as T;
}
