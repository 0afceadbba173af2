import { jsonText } from "../client/json";
import type { JobType, Schema } from "../client/types";
import { fieldsOf, kindOf, type Draft } from "./form";
import { isSecret } from "./secrets";
import { inTab } from "./settings";

/** What was typed into the form of a job. */
export interface StartDraft {
  params: Draft;
  title: Draft;
  approval: Draft;
}

const keyOf = ({ job_type }: JobType): string => `taskroom.draft.${job_type}`;

/** Returns what was typed before and not sent, in this tab; null where there is none, or the job has other parameters by now. */
export function keptDraft(job: JobType): StartDraft | null {
  const text = inTab.read(keyOf(job));
  if (!text) return null;
  const { schema, draft } = JSON.parse(text) as { schema: string; draft: StartDraft };
  return schema === jsonText(job.params) ? draft : null;
}

/** Keeps what was typed, but for secrets. */
export function keepDraft(job: JobType, draft: StartDraft): void {
  const kept = { ...draft, params: withoutSecrets(job.params, draft.params) };
  inTab.write(keyOf(job), JSON.stringify({ schema: jsonText(job.params), draft: kept }));
}

export const forgetDraft = (job: JobType): void => inTab.write(keyOf(job), "");

/** Returns what was typed, or the parameters of a run, with nothing where a secret belongs. */
export function withoutSecrets(schema: Schema, draft: Draft): Draft {
  if (Array.isArray(draft)) return draft.map((item: Draft) => withoutSecrets(schema.items ?? {}, item));
  if (typeof draft !== "object" || draft === null || kindOf(schema) !== "object") return draft;
  const values = draft as Record<string, Draft>;
  const parts = fieldsOf(schema).map(([name, field]) => [
    name,
    isSecret(name, field) && typeof values[name] === "string" ? "" : withoutSecrets(field, values[name] ?? null),
  ]);
  return Object.fromEntries(parts) as Draft;
}
