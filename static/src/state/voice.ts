import type { TaskEvent } from "../client/types";
import { OFF_FIRST, setting, type Switch } from "./settings";
import { inOneTab } from "./tabs";

/** Whether a finished artifact is announced aloud. */
export const voice = setting<Switch>("voice", OFF_FIRST);

export const canSpeak = "speechSynthesis" in globalThis;

export function speak(text: string): void {
  if (!canSpeak) return;
  const utterance = new SpeechSynthesisUtterance(text);
  utterance.lang = "en";
  speechSynthesis.speak(utterance);
}

/** Announces aloud that an artifact is ready, once for all tabs. */
export function speakOf(event: TaskEvent): void {
  if (event.type !== "artifact.completed" || voice.value === "off") return;
  // The browser keeps a tab silent in which nobody has clicked; another tab may speak.
  if (navigator.userActivation?.hasBeenActive === false) return;
  const { artifact_type, job_id } = event as { artifact_type?: unknown; job_id?: unknown };
  const what = typeof artifact_type === "string" ? artifact_type : "artifact";
  inOneTab(`voice.${String(job_id)}`, () => speak(`Your ${what} ${what.endsWith("s") ? "are" : "is"} ready`));
}
