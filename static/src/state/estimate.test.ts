import { expect, test } from "vitest";
import { NOTHING } from "../client/fold";
import type { Phase, Task, TaskState } from "../client/types";
import { etaOf, isLonger, phaseEtaOf, progressNow, progressOf, shareOf } from "./estimate";

const START = Date.parse("2026-01-01T00:00:00Z");
const after = (seconds: number): number => START + 1_000 * seconds;
const iso = (seconds: number): string => new Date(after(seconds)).toISOString();

const phase = (fields: Partial<Phase> = {}): Phase => ({
  phase_id: "resize",
  status: "in_progress",
  message: "",
  processed_count: 50,
  total_count: 100,
  error_count: 0,
  eta_seconds: 25,
  started_at: iso(0),
  updated_at: iso(0),
  duration_seconds: null,
  sequence: 1,
  ...fields,
});

const running = (fields: Partial<Task> = {}, ...phases: Phase[]): TaskState => ({
  task: {
    ...NOTHING.task,
    status: "STARTED",
    current_phase: "resize",
    updated_at: iso(0),
    eta_seconds: 60,
    progress: 33.3,
    progress_known: true,
    ...fields,
  },
  phases,
  sequence: 1,
});

test("progress is whole percent, and none where it is not known", () => {
  const of = (fields: Partial<Task>): number | null => progressOf(running(fields).task);
  expect([of({}), of({ progress: 0 }), of({ progress_known: null })]).toEqual([33, 0, 33]);
  expect(of({ progress: 0, progress_known: false })).toBeNull();
  expect([shareOf(phase()), shareOf(phase({ total_count: null })), shareOf(phase({ total_count: 0 }))]).toEqual([50, null, null]);
});

test("the estimate is of the whole run and grows shorter without events", () => {
  expect(etaOf(running({}, phase()), after(0))).toBe(60);
  expect(etaOf(running({}, phase()), after(9))).toBe(51);
  expect(phaseEtaOf(phase(), running({}, phase()), after(9))).toBe(16);
  expect(phaseEtaOf(phase(), running({ eta_seconds: 20 }, phase()), after(9))).toBe(11);
});

test("there is none where the server has none, or the run does not run", () => {
  expect(etaOf(running({ eta_seconds: null }, phase()), after(0))).toBeNull();
  expect(etaOf(running({ status: "SUCCESS" }, phase()), after(0))).toBeNull();
  expect(etaOf(running({ status: "WAITING" }, phase()), after(0))).toBeNull();
  expect(phaseEtaOf(phase({ eta_seconds: null }), running({}, phase({ eta_seconds: null })), after(0))).toBeNull();
});

test("it is withdrawn once the run should be over", () => {
  const last = phase({ eta_seconds: 0, processed_count: 100 });
  expect(etaOf(running({ eta_seconds: 3 }, last), after(2.9))).toBeCloseTo(0.1);
  expect(etaOf(running({ eta_seconds: 3 }, last), after(3))).toBeNull();
  expect(etaOf(running({ eta_seconds: 0 }, last), after(0))).toBeNull();
  expect(phaseEtaOf(last, running({}, last), after(0))).toBeNull();
});

test("it is withdrawn while a phase that counts is silent for the time of several items, and ten seconds", () => {
  const hour = running({ eta_seconds: 3_600 }, phase({ eta_seconds: 50 }));
  expect(etaOf(hour, after(10))).toBe(3_590);
  expect(etaOf(hour, after(10.5))).toBeNull();
  const slow = running({ eta_seconds: 3_600 }, phase({ eta_seconds: 1_500 })); // half a minute an item
  expect(etaOf(slow, after(90))).toBe(3_510);
  expect(etaOf(slow, after(91))).toBeNull();
  expect(phaseEtaOf(phase({ eta_seconds: 1_500 }), running({}, phase({ eta_seconds: 1_500 })), after(91))).toBeNull();
});

test("it is withdrawn once a phase without a pace takes longer than it did", () => {
  const plan = [{ phase_id: "resize", weight: 0.5, seconds: 20 }];
  const quiet = running({ plan, eta_seconds: 60 }, phase({ eta_seconds: null, total_count: null }));
  expect(etaOf(quiet, after(20))).toBe(40);
  expect(etaOf(quiet, after(21))).toBeNull();
});

test("a phase that counts nothing gets on with the time, up to 95 % of its share", () => {
  const plan = [{ phase_id: "resize", weight: 0.5, seconds: 20 }];
  const of = (seconds: number, fields: Partial<Task>, more: Partial<Phase> = {}): number | null =>
    progressNow(running({ plan, progress: 40, ...fields }, phase({ total_count: null, ...more })), after(seconds));
  expect([of(0, {}), of(4, {}), of(19, {}), of(60, {})]).toEqual([40, 50, 87, 87]);
  expect(of(6, { updated_at: iso(4) })).toBe(45);
  expect(of(4, { progress_known: false })).toBeNull();
  expect(of(4, {}, { total_count: 100 })).toBe(40);
  expect(of(4, {}, { status: "completed" })).toBe(40);
  expect(of(4, { plan: null })).toBe(40);
});

test("a run is longer than usual after the median of at least three runs", () => {
  const usual = { runs: 3, seconds: 24, p95_seconds: 41 };
  const of = (seconds: number, fields: Partial<Task>): boolean =>
    isLonger(running({ started_at: iso(0), usual, ...fields }), after(seconds));
  expect([of(24, {}), of(25, {}), of(25, { usual: { ...usual, runs: 2 } }), of(25, { usual: null })]).toEqual([false, true, false, false]);
  expect([of(25, { attempt_started_at: iso(5) }), of(25, { status: "WAITING" })]).toEqual([false, false]);
});

test("a run with steps has no estimate while its step waits, or takes longer than it said", () => {
  const step = (fields: Partial<Phase>): TaskState => {
    const task = { ...NOTHING.task, job_type: "orchestrate", status: "STARTED", current_phase: "1_kb", eta_seconds: 60, updated_at: iso(0) } as Task;
    const phase = { phase_id: "1_kb", status: "in_progress", total_count: 100, processed_count: 0, eta_seconds: 20, updated_at: iso(0), ...fields } as Phase;
    return { task, phases: [phase], sequence: 1 };
  };

  expect(etaOf(step({}), after(15))).toBe(45);
  expect(etaOf(step({}), after(21))).toBeNull();
  expect(etaOf(step({ eta_seconds: null }), after(0))).toBeNull();
  expect(etaOf(step({ eta_seconds: null, status: "completed" }), after(0))).toBe(60);
});
