import { specialWord } from "../client/outcome";
import type { LogLine, Task, TaskState } from "../client/types";
import { toneOf, type Tone } from "./marks";

/** Why a run has not succeeded, for somebody who does not know how runs work. */
export interface Failure {
  tone: Tone;
  /** One sentence, which may be long. */
  sentence: string;
  /** What follows from it, or what to do; null where that is plain. */
  hint: string | null;
  /** The class of the exception or the word of the system; null where the sentence says all of it. */
  type: string | null;
}

type Words = (message: string, task: Task) => [sentence: string, hint?: string | undefined];

const AGAIN = "It can be run again once that is put right.";
const STOPPED = "Its worker was stopped, or the machine had no memory left.";

/** The sentences for errors that are not of the run's own code. */
const OWN: Readonly<Record<string, Words>> = {
  WorkerLost: (message) => [sentence(message), /signal|SIGKILL|stopped answering/.test(message) ? STOPPED : undefined],
  BrokerUnavailable: () => ["Nothing has run: no worker could be told of this run", `The message broker was away. ${AGAIN}`],
  TimeLimitExceeded: (message) => [tookTooLong(message)],
  SoftTimeLimitExceeded: (message) => [tookTooLong(message)],
  Rejected: (message, task) => [message, task.started_at ? undefined : "Nothing has run."],
  SubtaskFailed: (message) => [message.replace(/^Step (\d+) \((.+?)\): /, "Step $1, $2, did not succeed: ")],
  InvalidParams: (message) => ["The parameters were not accepted", message],
  ExitStatus: (message) => [`The command ended with ${message}`],
  Signal: (message) => [`The command was ${message}`],
  SystemExit: (message) => [`The code ended itself with the status ${message}`],
  MemoryError: () => ["There was not enough memory"],
  KeyError: (message) => [`There is no key ${message}`],
  TaskCancelled: () => ["This run was cancelled"],
  Cancelled: (message) => [/^cancelled$/i.test(message) ? "This run was cancelled" : message],
};

/** Returns why a run has failed, or was ended; null while it goes on and when it has succeeded. The last `lines` of its log
 * may tell who has cancelled it. */
export function failureOf(task: Task, lines: readonly LogLine[] = []): Failure | null {
  const { error, status } = task;
  if (status !== "FAILURE" && status !== "REVOKED" && status !== "RETRY") return null;
  if (!error) return status === "RETRY" ? null : { tone: toneOf(status), sentence: WITHOUT[status], hint: null, type: null };
  const { type, message } = error;
  const [said, hint] = (Object.hasOwn(OWN, type) && OWN[type]?.(message, task)) || [sentence(message === type ? inWords(type) : message)];
  const plain = ["Cancelled", "Rejected", "TaskFailed"].includes(type) || specialWord(task) !== null;
  const by = type === "Cancelled" && /^cancelled$/i.test(message) ? canceller(lines) : null;
  return { tone: toneOf(status), sentence: by ? `Cancelled by ${by}` : said, hint: hint ?? null, type: plain ? null : type };
}

const CANCEL = /^Cancel requested by (.+)$/;

const canceller = (lines: readonly LogLine[]): string | null =>
  lines.map(({ component, message }) => (component === "taskroom" && CANCEL.exec(message)?.[1]) || null).find(Boolean) ?? null;

const WITHOUT = { FAILURE: "This run has failed and gave no reason", REVOKED: "This run was cancelled" };

const sentence = (text: string): string => text.trim() || "It gave no reason";

/** "ConnectionResetError" → "Connection reset error": an exception without a text has only its name. */
const inWords = (type: string): string => {
  const words = type.replace(/([a-z\d])([A-Z])/g, (_, before: string, next: string) => `${before} ${next.toLowerCase()}`);
  return words.charAt(0).toUpperCase() + words.slice(1);
};

function tookTooLong(message: string): string {
  const seconds = /\((\d+(?:\.\d+)?)/.exec(message)?.[1];
  return seconds ? `It took longer than the ${seconds} s that it may` : "It took longer than it may";
}

/** The lines of the log before a failure, the oldest first, and the line that tells of it. */
export interface LinesBefore {
  line: LogLine | null;
  before: readonly LogLine[];
}

const MOST_BEFORE = 10;

export const beforeTitle = (lines: number): string =>
  lines === 1 ? "The line before" : lines < MOST_BEFORE ? `The ${lines} lines before` : "The last ten lines before";

/** Takes apart the last lines up to the end of the attempt that failed. */
export function linesBefore(lines: readonly LogLine[], task: Task): LinesBefore {
  const until = lines.filter(({ sequence }) => sequence < task.status_sequence);
  const at = task.status === "REVOKED" ? -1 : until.findLastIndex(isFailure);
  const before = at < 0 ? until : until.slice(0, at);
  return { line: until[at] ?? before.at(-1) ?? null, before: before.slice(-MOST_BEFORE) };
}

/** Whether a line is the one with which an attempt failed. */
const isFailure = ({ level, component }: LogLine): boolean => level === "ERROR" && component === "taskroom";

/** Where a run failed: its phase, or that it was between two; null of a run without phases. */
export function failedIn({ task, phases }: TaskState): string | null {
  return task.error?.phase ?? (phases.length > 0 && task.status === "FAILURE" ? "between phases" : null);
}
