import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Feed } from "./testing/feed";
import { Tab, type RecordingRoom } from "./testing/tab";
import { Browser } from "./testing/tabs";

const NAMES = ["user", "broadcast", ...Array.from({ length: 8 }, (_, at) => `task:${at}`)];
const TABS = 7;
const STEPS = 200;

let browser: Browser;
let feed: Feed;
beforeEach(() => {
  vi.useFakeTimers();
  browser = new Browser();
  feed = new Feed();
});
afterEach(() => {
  browser.end();
  vi.useRealTimers();
});

/** The same numbers from 0 to less than 1 for the same seed. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Tabs come, go, crash, freeze, watch and stop watching in any order, while events come and streams break. */
class Simulation {
  readonly tabs: Tab[] = [];
  readonly rooms: RecordingRoom[] = [];
  private readonly frozen = new Set<Tab>();
  private made = 0;

  constructor(private readonly next: () => number) {}

  private below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  private one<T>(of: readonly T[]): T | undefined {
    return of[this.below(of.length)];
  }

  come(): void {
    if (this.tabs.length >= TABS) return;
    const tab = new Tab(`${++this.made}`, browser, feed);
    this.tabs.push(tab);
    this.watch(tab);
  }

  watch(tab = this.one(this.tabs)): void {
    const name = this.one(NAMES.filter((each) => !tab?.rooms.some((room) => room.name === each)));
    if (!tab || !name) return;
    const cursor = this.below(3) ? this.below((feed.heads.get(name) ?? 0) + 1) : null;
    this.rooms.push(browser.as(tab.name, () => tab.watch(name, cursor)));
  }

  unwatch(): void {
    const tab = this.one(this.tabs);
    const room = tab && this.one(tab.rooms);
    if (tab && room) browser.as(tab.name, () => tab.unwatch(room));
  }

  leave(crash: boolean): void {
    const tab = this.one(this.tabs);
    if (!tab || this.tabs.length === 1) return;
    const led = browser.leader === tab.name;
    this.tabs.splice(this.tabs.indexOf(tab), 1);
    this.frozen.delete(tab);
    if (!crash) return browser.as(tab.name, () => tab.wire.close());
    browser.crash(tab.name);
    if (led) feed.vanish();
  }

  freeze(): void {
    const tab = this.one(this.tabs);
    if (!tab) return;
    tab.dispatch(this.frozen.has(tab) ? "resume" : "freeze");
    if (!this.frozen.delete(tab)) this.frozen.add(tab);
  }

  thaw(): void {
    for (const tab of this.frozen) tab.dispatch("resume");
    this.frozen.clear();
  }

  /** What a page does whose wire has ended. */
  mend(): void {
    for (const tab of this.tabs) {
      if (!tab.closed.length) continue;
      tab.closed.length = tab.opened = 0;
      tab.open();
    }
  }

  step(): void {
    const kind = this.below(20);
    if (kind < 2) this.come();
    else if (kind < 5) this.watch();
    else if (kind < 7) this.unwatch();
    else if (kind < 9) this.leave(kind === 8);
    else if (kind < 11) this.freeze();
    else if (kind === 11) feed.cut();
    else feed.append(this.one(NAMES) ?? "user", 1 + this.below(5));
  }

  pause(): number {
    return this.below(4) ? this.below(4) : 5 + this.below(20);
  }
}

test.each([1, 2, 3, 4, 5, 6, 7, 8])("whatever tabs do, each gets every event once and in order: seed %i", async (seed) => {
  const simulation = new Simulation(numbers(seed));
  simulation.come();
  for (let step = 0; step < STEPS; step++) {
    simulation.step();
    await vi.advanceTimersByTimeAsync(simulation.pause());
    simulation.mend();
  }
  simulation.thaw();
  await vi.advanceTimersByTimeAsync(200);
  simulation.mend();
  await vi.advanceTimersByTimeAsync(200);

  expect(simulation.rooms.flatMap(({ faults }) => faults)).toEqual([]);
  const watched = simulation.tabs.flatMap(({ rooms }) => rooms);
  const heads = watched.map(({ name }) => feed.heads.get(name) ?? 0);
  expect(watched.map(({ cursor }) => cursor)).toEqual(heads);
  expect(feed.streams).toHaveLength(1);
  expect(feed.most).toBe(1);
  expect(simulation.rooms.reduce((sum, { seen }) => sum + seen.length, 0)).toBeGreaterThan(50);
});
