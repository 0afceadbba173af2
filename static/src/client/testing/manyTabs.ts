import { afterEach, beforeEach, vi } from "vitest";
import { Feed } from "./feed";
import { Tab } from "./tab";
import { Browser } from "./tabs";

export let browser: Browser;
export let feed: Feed;

/** Gives each test of a file a browser, a server with five events of the task `t`, and a clock of its own. */
export function withTabs(): void {
  beforeEach(() => {
    vi.useFakeTimers();
    browser = new Browser();
    feed = new Feed();
    feed.heads.set("task:t", 5);
  });
  afterEach(() => {
    browser.end();
    vi.useRealTimers();
  });
}

export const pass = (ms = 60): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

export async function tabs(...names: string[]): Promise<Tab[]> {
  const made = names.map((name) => new Tab(name, browser, feed));
  await pass();
  return made;
}
