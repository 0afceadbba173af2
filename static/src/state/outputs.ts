import { Problem } from "../client/problem";
import type { OutputFile } from "../client/related";
import { isTerminal, type JobType, type Task } from "../client/types";

const UNITS = ["kB", "MB", "GB", "TB"];

/** The names of the files that a job type says its runs save, each with what it is. */
export const declaredOutputs = (task: Task, types: readonly JobType[] | Problem | null): Readonly<Record<string, string>> =>
  (types instanceof Problem ? null : types?.find(({ job_type }) => job_type === task.job_type)?.outputs) ?? {};

/** A row of the list of outputs. `file` is null of one that the job declares and has not saved. */
export interface OutputRow {
  name: string;
  about: string;
  file: OutputFile | null;
}

/** Returns what a run has saved, then what it has yet to save, or has not saved. */
export function outputRows(files: readonly OutputFile[], declared: Readonly<Record<string, string>>): OutputRow[] {
  const names = new Set(files.map(({ name }) => name));
  const missing = Object.keys(declared).filter((name) => !names.has(name));
  return [
    ...files.map((file) => ({ name: file.name, about: declared[file.name] ?? "", file })),
    ...missing.map((name) => ({ name, about: declared[name] ?? "", file: null })),
  ];
}

export const missingWord = ({ status }: Task): string => (isTerminal(status) ? "not saved" : "not saved yet");

/** 950 → "950 B", 12_345 → "12.3 kB". */
export function bytes(size: number): string {
  if (size < 1_000) return `${size} B`;
  let at = -1;
  let value = size;
  while (value >= 999.5 && at < UNITS.length - 1) {
    value /= 1_000;
    at++;
  }
  return `${value < 99.95 ? value.toFixed(1) : Math.round(value)} ${UNITS[at]}`;
}

/** "text/csv; charset=utf-8" → "csv"; empty of a type that says nothing. */
export const typeWord = ({ content_type }: OutputFile): string => {
  const word = content_type.split(";", 1)[0]!.split("/")[1] ?? "";
  return word === "octet-stream" ? "" : (word.split(".").at(-1) ?? "").replace(/^x-/, "");
};
