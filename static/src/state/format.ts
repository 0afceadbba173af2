import { jsonText } from "../client/json";
import type { Task } from "../client/types";

export const count = (value: number): string => value.toLocaleString("en");

/** 1, "line" → "1 line"; 1200, "line" → "1,200 lines". */
export const quantity = (value: number, noun: string): string => `${count(value)} ${noun}${value === 1 ? "" : "s"}`;

/** Whether the task has a title of its own, and not the one that the server gives. */
export const hasTitle = (task: Task): boolean => {
  const { title, job_type } = task;
  const ofParent = isStep(task) && title?.endsWith(`: ${job_type}`);
  return !ofParent && ![`Task: ${job_type}`, job_type, ""].includes(title ?? "");
};

/** Whether the task is a step of an orchestration: those that others report have the titles that they say. */
export const isStep = ({ trigger, observed }: Task): boolean => trigger === "subtask" && !observed;

export const shortId = (id: string): string => id.slice(0, 8);

/** Whole percent; 100 only when it is reached. */
export const percent = (progress: number | null): number => Math.floor(Math.min(100, Math.max(0, progress ?? 0)));

export const pretty = (value: unknown): string => (typeof value === "string" ? value : jsonText(value, 2));

/** The text beside a progress bar; empty where the value is not known. */
export const percentText = (value: number | null): string => (value === null ? "" : `${value} %`);
