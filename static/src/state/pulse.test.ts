// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { heard } from "../client/lifeSigns";
import { now, runningServerNow, stoppedAt, tickingServerNow } from "./clock";
import { watchPulse } from "./pulse";

const START = Date.parse("2026-01-01T00:00:00Z");
let answers: (() => void)[] = [];
let hidden = false;
let stop: () => void;

/** The clock of the page strikes each second, and a figure of it runs unless the page is quiet. */
async function pass(seconds: number, quiet = false): Promise<void> {
  for (let n = 0; n < seconds; n++) {
    vi.setSystemTime(Date.now() + 1_000);
    if (!quiet) runningServerNow();
    now.value = Date.now();
    await Promise.resolve();
  }
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
  vi.setSystemTime(START);
  answers = [];
  hidden = false;
  const answer = new Response("{}", { headers: { Date: "x" } });
  vi.stubGlobal("fetch", vi.fn(() => new Promise((done) => answers.push(() => done(answer)))));
  vi.spyOn(document, "hidden", "get").mockImplementation(() => hidden);
  heard();
  now.value = START;
  stop = watchPulse();
});
afterEach(() => {
  stop();
  vi.useRealTimers();
});

test("while no figure runs that would be wrong, a minute of silence passes before the server is asked", async () => {
  await pass(59, true);
  expect(answers).toHaveLength(0);
  await pass(1, true);
  expect(answers).toHaveLength(1);
  await pass(3, true);
  expect(stoppedAt.value).toBeNull();
  await pass(1, true);
  expect(stoppedAt.value).toBe(START + 64_000);
});

test("a server that is silent for eight seconds is asked, and after twelve without an answer the clocks stop", async () => {
  await pass(7);
  expect(answers).toHaveLength(0);
  await pass(4);
  expect([answers.length, stoppedAt.value]).toEqual([1, null]);
  await pass(1);
  expect(stoppedAt.value).toBe(START + 12_000);
  await pass(30);
  expect(tickingServerNow()).toBe(START + 12_000);

  heard();
  await pass(1);
  expect([stoppedAt.value, tickingServerNow()]).toEqual([null, START + 43_000]);
});

test("an answer to the question is enough", async () => {
  await pass(8);
  answers[0]?.();
  await vi.waitFor(() => expect(vi.mocked(fetch)).toHaveBeenCalledTimes(1));
  await pass(7);
  expect(stoppedAt.value).toBeNull();
});

test("a hidden page asks nothing, and claims nothing when it is seen again before it has asked", async () => {
  hidden = true;
  await pass(60);
  expect(answers).toHaveLength(0);
  hidden = false;
  await pass(3);
  expect([answers.length, stoppedAt.value]).toEqual([1, null]);
  await pass(2);
  expect(stoppedAt.value).not.toBeNull();
});
