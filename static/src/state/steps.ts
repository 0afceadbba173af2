import type { JobType, Schema } from "../client/types";
import { covers, hasMask } from "./again";
import { draftOf, type Draft } from "./form";

/** The part of a form that is a step; `params` is text where it is entered as JSON. */
type StepDraft = { readonly [name: string]: Draft };

/** The schema of a list of steps: each has a job type and its parameters. */
export const isSteps = ({ items }: Schema): boolean => Boolean(items?.properties?.job_type && items.properties.params);

/** Returns the names of the parameters that are lists of steps. */
export const stepLists = ({ properties = {} }: Schema): string[] => Object.keys(properties).filter((name) => isSteps(properties[name] ?? {}));

const NESTED = "The steps of this step, as JSON: this form goes one level deep.";

/** Returns the schema of the parameters of a step. Steps within it are entered as JSON. */
function paramsOf(type: JobType): Schema {
  const { params } = type;
  const inner = stepLists(params).map((name) => [name, { type: "array", description: NESTED }] as const);
  return inner.length ? { ...params, properties: { ...params.properties, ...Object.fromEntries(inner) } } : params;
}

/** Returns the schema with the fields of each step's own job, for the steps that are in the form. */
export function withStepFields(schema: Schema, params: Draft, types: readonly JobType[]): Schema {
  const lists = stepLists(schema).map((name) => {
    const field = schema.properties?.[name] as Schema;
    const steps = ((params as Record<string, Draft> | null)?.[name] ?? []) as readonly StepDraft[];
    return [name, { ...field, prefixItems: steps.map((step) => fieldsOfStep(field.items ?? {}, step, types)) }] as const;
  });
  return lists.length ? { ...schema, properties: { ...schema.properties, ...Object.fromEntries(lists) } } : schema;
}

function fieldsOfStep(schema: Schema, step: StepDraft, types: readonly JobType[]): Schema {
  const type = types.find(({ job_type }) => job_type === step.job_type);
  if (!type || typeof step.params === "string") return schema;
  return { ...schema, properties: { ...schema.properties, params: paramsOf(type) } };
}

/** Returns the form of a new step; `type` null: its job is still to be chosen. */
export function newStep(list: Schema, type: JobType | null): StepDraft {
  const step = draftOf(list.items ?? {}) as StepDraft;
  return type ? { ...step, job_type: type.job_type, params: draftOf(paramsOf(type)) } : { ...step, job_type: "", params: {} };
}

/** Returns the form of new parameters: a list of steps begins with one whose job is still to be chosen. */
export function newParams(schema: Schema): Draft {
  const draft = draftOf(schema);
  const lists = stepLists(schema).map((name) => [name, [newStep(schema.properties?.[name] ?? {}, null)]] as const);
  return lists.length ? { ...(draft as Record<string, Draft>), ...Object.fromEntries(lists) } : draft;
}

/** Returns the form of a run's parameters with the fields of the jobs of its steps in place of JSON, where they have a field for
 * each value and each value is shown: within JSON one sees where a secret was. */
export function unfolded(schema: Schema, draft: Draft, given: unknown, types: readonly JobType[]): Draft {
  const all = { ...(draft as Record<string, Draft>) };
  for (const name of stepLists(schema)) {
    const values = ((given as Record<string, unknown> | null)?.[name] ?? []) as readonly { job_type: string; params?: unknown }[];
    all[name] = (all[name] as readonly StepDraft[]).map((step, at) => {
      const type = types.find(({ job_type }) => job_type === step.job_type);
      const params = values[at]?.params ?? {};
      return type && covers(paramsOf(type), params) && !hasMask(params) ? { ...step, params: draftOf(paramsOf(type), true, params) } : step;
    });
  }
  return all;
}

/** Returns a list with one of its items in another place. */
export const moved = <T>(list: readonly T[], from: number, to: number): readonly T[] => list.toSpliced(from, 1).toSpliced(to, 0, list[from] as T);

/** What a step is called: by its own title, else by its job. */
export function stepName(step: StepDraft, types: readonly JobType[]): string {
  const type = types.find(({ job_type }) => job_type === step.job_type);
  return String(step.title || type?.title || step.job_type || "No job yet");
}
