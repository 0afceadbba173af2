import { effect } from "@preact/signals";
import { jsonText } from "../client/json";
import type { Schema } from "../client/types";
import { fieldsOf, itemAt, kindOf, type Draft } from "./form";
import { isSecret, jsonWithoutSecrets } from "./secrets";
import { signedIn } from "./session";
import { inBrowser, type Texts } from "./settings";

/** What was typed into the form of a job. */
export interface StartDraft {
  params: Draft;
  title: Draft;
  approval: Draft;
}

/** Whose form it is, and which: that of a job type, or of a run that is started again. */
export interface DraftPlace {
  userId: string;
  form: string;
}

interface Kept {
  /** When it was typed, RFC 3339. */
  at: string;
  /** The parameters that it was typed for. */
  schema: string;
  draft: StartDraft;
}

interface FoundDraft extends Omit<Kept, "schema"> {
  /** Secrets were typed and are not there any more. */
  lacksSecrets: boolean;
}

const MOST = 20;
/** In characters: a browser keeps some millions for all of a site. */
const LONGEST = 200_000;

/** What was typed since the page was loaded, with secrets, which no storage gets. */
const typed = new Map<string, Kept>();
effect(() => {
  const state = signedIn.value;
  if (state.kind === "out" && state.left) typed.clear();
});

const slotOf = ({ userId }: DraftPlace): string => `taskroom.drafts.${userId}`;
const keyOf = ({ userId, form }: DraftPlace): string => `${userId} ${form}`;

function storedDrafts(place: DraftPlace, texts: Texts): Record<string, Kept> {
  return JSON.parse(texts.read(slotOf(place)) || "{}") as Record<string, Kept>;
}

/** Returns what was typed before and not sent, in this browser. `schema` gives the parameters that the job has for a draft: where
 * they are others than those it was typed for, the draft is of no use, and there is none. */
export function keptDraft(place: DraftPlace, schema: (draft: StartDraft) => Schema, texts: Texts = inBrowser): FoundDraft | null {
  const here = typed.get(keyOf(place));
  const kept = here ?? storedDrafts(place, texts)[place.form];
  if (!kept) return null;
  const { at, draft } = kept;
  const now = schema(draft);
  return jsonText(now) === kept.schema ? { at, draft, lacksSecrets: !here && hasSecrets(now) } : null;
}

/** Keeps what was typed: until the page is left as it is, and in this browser without its secrets. */
export function keepDraft(place: DraftPlace, schema: Schema, draft: StartDraft, texts: Texts = inBrowser): void {
  const kept = { at: new Date().toISOString(), schema: jsonText(schema), draft };
  typed.set(keyOf(place), kept);
  const stored = { ...kept, draft: { ...draft, params: withoutSecrets(schema, draft.params) } };
  if (JSON.stringify(stored).length > LONGEST) return;
  const others = Object.entries(storedDrafts(place, texts)).filter(([form]) => form !== place.form);
  const newest = others.sort(([, a], [, b]) => (a.at < b.at ? 1 : -1)).slice(0, MOST - 1);
  texts.write(slotOf(place), JSON.stringify(Object.fromEntries([[place.form, stored], ...newest])));
}

export function forgetDraft(place: DraftPlace, texts: Texts = inBrowser): void {
  typed.delete(keyOf(place));
  const { [place.form]: gone, ...others } = storedDrafts(place, texts);
  if (gone) texts.write(slotOf(place), JSON.stringify(others));
}

/** Returns what was typed, or the parameters of a run, with nothing where a secret belongs. */
export function withoutSecrets(schema: Schema, draft: Draft): Draft {
  if (Array.isArray(draft)) return draft.map((item: Draft, at) => withoutSecrets(itemAt(schema, at), item));
  if (typeof draft === "string" && kindOf(schema) === "json") return jsonWithoutSecrets(draft);
  if (typeof draft !== "object" || draft === null || kindOf(schema) !== "object") return draft;
  const values = draft as Record<string, Draft>;
  const parts = fieldsOf(schema).map(([name, field]) => [
    name,
    isSecret(name, field) && typeof values[name] === "string" ? "" : withoutSecrets(field, values[name] ?? null),
  ]);
  return Object.fromEntries(parts) as Draft;
}

const hasSecrets = (schema: Schema): boolean =>
  fieldsOf(schema).some(([name, field]) => isSecret(name, field) || hasSecrets(field)) ||
  [schema.items, ...(schema.prefixItems ?? [])].some((items) => items !== undefined && hasSecrets(items));
