// @vitest-environment happy-dom
import { beforeEach, expect, test, vi } from "vitest";
import type { Schema } from "../client/types";
import { forgetDraft, keepDraft, keptDraft, type DraftPlace } from "./drafts";

const schema: Schema = { type: "object", properties: { to: { type: "string" }, password: { type: "string" } } };
const typed = { params: { to: "ada", password: "hush" }, title: "Weekly", approval: null };
let number = 0;
let mail: DraftPlace;
let kept: Map<string, string>;
let texts: { read: (key: string) => string | null; write: (key: string, text: string) => void };

beforeEach(() => {
  mail = { userId: String((number += 1)), form: "mail" };
  kept = new Map();
  texts = { read: (key) => kept.get(key) ?? null, write: (key, text) => void kept.set(key, text) };
});

/** The module as a page that is loaded again has it. */
async function reloaded(): Promise<typeof import("./drafts")> {
  vi.resetModules();
  return import("./drafts");
}

test("what was typed is kept until it is sent, with its secrets as long as the page, and without them in the browser", async () => {
  expect(keptDraft(mail, () => schema, texts)).toBeNull();
  keepDraft(mail, schema, typed, texts);
  expect(keptDraft(mail, () => schema, texts)).toMatchObject({ draft: typed, lacksSecrets: false });
  expect(keptDraft({ ...mail, form: "other" }, () => schema, texts)).toBeNull();
  expect(keptDraft({ ...mail, userId: "somebody else" }, () => schema, texts)).toBeNull();
  expect([...kept.values()].join()).not.toContain("hush");

  const later = await reloaded();
  const found = later.keptDraft(mail, () => schema, texts);
  expect(found).toMatchObject({ draft: { ...typed, params: { to: "ada", password: "" } }, lacksSecrets: true });

  forgetDraft(mail, texts);
  expect(keptDraft(mail, () => schema, texts)).toBeNull();
});

test("what was typed for other parameters is not taken", () => {
  keepDraft(mail, schema, typed, texts);
  expect(keptDraft(mail, () => ({ type: "object", properties: { to: { type: "integer" } } }), texts)).toBeNull();
});

test("the twenty newest drafts of a user are kept, and none that is huge", async () => {
  vi.useFakeTimers();
  for (let n = 0; n < 22; n += 1) {
    vi.setSystemTime(1_000 * n);
    keepDraft({ ...mail, form: `job ${n}` }, schema, typed, texts);
  }
  vi.useRealTimers();
  keepDraft({ ...mail, form: "huge" }, schema, { ...typed, params: { to: "x".repeat(300_000) } }, texts);

  const later = await reloaded();
  const isKept = (form: string): boolean => later.keptDraft({ ...mail, form }, () => schema, texts) !== null;
  expect(["job 1", "job 2", "job 21", "huge"].filter(isKept)).toEqual(["job 2", "job 21"]);
});

test("the secrets of the items of a list are not kept either", () => {
  const list: Schema = { type: "object", properties: { steps: { type: "array", items: {}, prefixItems: [schema] } } };
  keepDraft(mail, list, { ...typed, params: { steps: [{ to: "ada", password: "hush" }] } }, texts);
  expect([...kept.values()].join()).toContain("ada");
  expect([...kept.values()].join()).not.toContain("hush");
});
