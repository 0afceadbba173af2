import { expect, test } from "vitest";
import { browser, feed, pass, tabs, withTabs } from "./testing/manyTabs";
import type { Tab } from "./testing/tab";

withTabs();

test.each(["closes", "crashes", "freezes", "is kept for going back"])(
  "when the leader %s the next tab goes on without a gap",
  async (how) => {
    const [one, two, three] = (await tabs("1", "2", "3")) as [Tab, Tab, Tab];
    const rooms = [one, two, three].map((tab) => tab.watch("task:t", 5));
    await pass();
    feed.append("task:t");
    await pass();
    expect(browser.leader).toBe("1");
    feed.append("task:t"); // still on its way
    if (how === "closes") browser.as("1", () => one.wire.close());
    else if (how === "freezes") one.dispatch("freeze");
    else if (how !== "crashes") one.dispatch("pagehide");
    else {
      browser.crash("1");
      feed.vanish();
    }
    feed.append("task:t");
    await pass(100);
    feed.append("task:t");
    await pass();
    expect(browser.leader).toBe("2");
    for (const room of rooms.slice(1)) expect(room.seen).toEqual([6, 7, 8, 9]);
    expect([two.closed, two.opened, three.closed, three.opened]).toEqual([[], 1, [], 1]);
    expect(feed.most).toBe(1);
  },
);

test("a leader that is silent for too long is replaced, and one that answers is not", async () => {
  const [, two, three] = (await tabs("1", "2", "3")) as [Tab, Tab, Tab];
  const rooms = [two, three].map((tab) => tab.watch("task:t", 5));
  await pass();
  for (let seconds = 0; seconds < 120; seconds += 15) {
    feed.alive();
    await pass(15_000);
  }
  expect(browser.leader).toBe("1");
  browser.hang("1");
  feed.vanish();
  feed.append("task:t");
  await pass(24_000);
  expect(browser.leader).toBe("1");
  await pass(2_000);
  expect(browser.leader).not.toBe("1");
  for (const room of rooms) expect(room.seen).toEqual([6]);
  expect([two.closed, three.closed]).toEqual([[], []]);
});

test("a leader that another has replaced lets go of its stream", async () => {
  const [one, two] = (await tabs("1", "2")) as [Tab, Tab];
  const mine = one.watch("task:t", 5);
  await pass();
  const [stream] = feed.streams;
  void browser.as("x", () => navigator.locks.request(browser.lock, { steal: true }, async () => undefined));
  await pass();
  feed.append("task:t");
  await pass();
  expect(stream?.gone).toBe(true);
  expect(browser.leader).toBe("2");
  expect(two.closed).toEqual([]);
  expect(mine.seen).toEqual([6]);
});

test("a tab that takes nothing is left out, and goes on at its cursor when it does again", async () => {
  const [, two] = (await tabs("1", "2")) as [Tab, Tab];
  const room = two.watch("task:t", 5);
  await pass();
  const opened = feed.server.streams.length;
  browser.pause("2");
  for (let times = 0; times < 10; times++) {
    feed.append("task:t", 1_000);
    await pass();
  }
  expect(feed.rooms).toEqual(["broadcast"]);
  browser.go("2");
  await pass(100);
  expect(room.seen.at(-1)).toBe(10_005);
  expect(room.faults).toEqual([]);
  expect(feed.server.streams.length).toBeGreaterThan(opened);
});

test("what is joined before anybody has answered has its place all the same", async () => {
  const [, two] = (await tabs("1", "2")) as [Tab, Tab];
  two.dispatch("freeze");
  two.dispatch("resume");
  const room = two.watch("task:t", 4);
  await pass();
  expect([room.here, room.seen]).toEqual([true, [5]]);
});

test("a message from before a tab was frozen is not taken for a present answer", async () => {
  const [one, two] = (await tabs("1", "2")) as [Tab, Tab];
  one.watch("task:t", 5);
  await pass();
  const room = two.watch("task:t");
  browser.pause("2");
  await pass();
  two.dispatch("freeze");
  await pass();
  feed.append("task:t", 5);
  await pass();
  browser.go("2");
  two.dispatch("resume");
  await pass();
  feed.append("task:t");
  await pass();
  expect([room.seen, room.faults]).toEqual([[11], []]);
});
