// @vitest-environment happy-dom
import { beforeEach, expect, test, vi } from "vitest";
import type { TaskEvent } from "../client/types";

const spoken: string[] = [];
vi.stubGlobal(
  "SpeechSynthesisUtterance",
  class {
    constructor(readonly text: string) {}
  },
);
vi.stubGlobal("speechSynthesis", { speak: ({ text }: { text: string }) => spoken.push(text) });
/** Locks of one browser, of which several tabs ask. */
const held = new Set<string>();
const request = vi.fn(async (name: string, _options: object, work: (lock: object | null) => unknown) => {
  if (held.has(name)) return work(null);
  held.add(name);
  return work({});
});
Object.defineProperty(navigator, "locks", { value: { request } });

const { speakOf, voice } = await import("./voice");
const ready = (job_id: string, more = {}): TaskEvent => ({
  type: "artifact.completed",
  sequence: 1,
  job_id,
  artifact_type: "quiz",
  ...more,
});

beforeEach(() => {
  spoken.length = 0;
  held.clear();
  voice.value = "on";
});

test("a finished artifact is announced aloud in one tab of all", () => {
  speakOf(ready("1"));
  speakOf(ready("1"));
  speakOf(ready("2", { artifact_type: "flashcards" }));
  expect(spoken).toEqual(["Your quiz is ready", "Your flashcards are ready"]);
});

test("nothing else is, and nothing when it is off", () => {
  speakOf({ ...ready("1"), type: "artifact.failed" });
  voice.value = "off";
  speakOf(ready("2"));
  expect(spoken).toEqual([]);
});
