import { expect, test, vi } from "vitest";
import { browser, feed, pass, tabs, withTabs } from "./testing/manyTabs";
import { Tab } from "./testing/tab";

withTabs();

test("tabs of one user share one stream of all their rooms, each from its own cursor", async () => {
  const [one, two, three] = (await tabs("1", "2", "3")) as [Tab, Tab, Tab];
  const rooms = [one.watch("task:t", 5), two.watch("task:t", 2), three.watch("user"), three.watch("task:t")];
  await pass();
  expect([one, two, three].map(({ opened }) => opened)).toEqual([1, 1, 1]);
  feed.append("task:t", 2);
  feed.append("user");
  await pass();
  expect(rooms.map(({ seen }) => seen)).toEqual([[6, 7], [3, 4, 5, 6, 7], [1], [6, 7]]);
  expect(feed.rooms).toEqual(["task:t", "user"]);
  expect(feed.most).toBe(1);
});

test("a tab that begins where the stream stands does not interrupt it, one that is behind reopens it there", async () => {
  const [one, two] = (await tabs("1", "2")) as [Tab, Tab];
  const first = one.watch("task:t", 5);
  await pass();
  const streams = feed.server.streams.length;
  const live = two.watch("task:t");
  await pass();
  expect(live.here).toBe(true);
  expect(feed.server.streams).toHaveLength(streams);
  two.unwatch(live);
  const behind = two.watch("task:t", 1);
  await pass();
  expect(feed.server.streams).toHaveLength(streams + 1);
  expect([first.seen, behind.seen]).toEqual([[], [2, 3, 4, 5]]);
});

test.each([
  ["freeze", "resume"],
  ["pagehide", "pageshow"],
])("a tab that comes back after %s goes on at its cursor", async (away, back) => {
  const [one, two] = (await tabs("1", "2")) as [Tab, Tab];
  const [mine, other] = [one, two].map((tab) => tab.watch("task:t", 5));
  await pass();
  one.dispatch(away);
  await pass();
  feed.append("task:t", 3);
  await pass();
  expect(mine?.seen).toEqual([]);
  one.dispatch(back);
  await pass();
  expect([mine?.seen, other?.seen]).toEqual([[6, 7, 8], [6, 7, 8]]);
  expect(one.opened).toBe(1);
});

test("other users, and unknown users, do not share a stream", async () => {
  const all = ["1", "2", null, null].map((who, at) => new Tab(`${at}`, browser, feed, who));
  await pass();
  for (const tab of all) tab.watch("user");
  await pass();
  expect(feed.streams).toHaveLength(4);
  feed.append("user");
  await pass();
  for (const tab of all) expect(tab.rooms[0]?.seen).toEqual([1]);
});

test("who signs in as another user has no part in the stream any more", async () => {
  const [one, two] = (await tabs("1", "2")) as [Tab, Tab];
  two.access.who = "other";
  browser.as("2", () => two.wire.token("fresh"));
  expect([one.closed, two.closed]).toEqual([[], ["cut"]]);
});

test("without locks each tab has a stream of its own", async () => {
  vi.stubGlobal("navigator", { locks: undefined });
  const all = await tabs("1", "2");
  expect(feed.streams).toHaveLength(2);
  expect(all.map(({ opened }) => opened)).toEqual([1, 1]);
});

test("a page that may have no locks has a stream of its own", async () => {
  vi.stubGlobal("navigator", { locks: { request: () => Promise.reject(new DOMException("opaque", "SecurityError")) } });
  const [one] = (await tabs("1")) as [Tab];
  expect(one.opened).toBe(1);
});

test("what a stream has no place for is asked by REST until there is one; tasks come before summaries", async () => {
  const [one, two] = (await tabs("1", "2")) as [Tab, Tab];
  const summaries = Array.from({ length: 16 }, (_, at) => one.watch(`task:s${at}`, 0, 0));
  await pass();
  const task = two.watch("task:t", 5);
  const more = two.watch("task:u", 0, 0);
  feed.heads.set("task:u", 4);
  await pass();
  expect(feed.rooms).toHaveLength(16);
  expect([task.here, more.here]).toEqual([true, false]);
  const outside = summaries.filter(({ name }) => !feed.rooms.includes(name));
  expect(outside.map(({ polls }) => polls)).toEqual([1]);
  await pass(10_000);
  expect([more.polls, more.cursor]).toEqual([2, 4]);
  for (const room of summaries.slice(0, 2)) one.unwatch(room);
  await pass();
  feed.append("task:u");
  await pass();
  expect([more.here, more.seen, more.polls]).toEqual([true, [5], 2]);
  expect(feed.server.streams.at(-1)?.rooms).toContain("task:u@4");
});

test("a stream that is cut is so for all; a token that has ended is the leader's own", async () => {
  const [one, two, three] = (await tabs("1", "2", "3")) as [Tab, Tab, Tab];
  const rooms = [two, three].map((tab) => tab.watch("task:t", 5));
  await pass();
  feed.streams[0]?.deliver("token_expired", {});
  await pass();
  feed.append("task:t");
  await pass();
  expect([one.closed, two.closed, three.closed]).toEqual([["denied"], [], []]);
  for (const room of rooms) expect(room.seen).toEqual([6]);
  feed.cut();
  await pass();
  expect([two.closed, three.closed]).toContainEqual(["cut"]);
});

test("a room that is refused is found out by each tab, and the others stay", async () => {
  const [one, two] = (await tabs("1", "2")) as [Tab, Tab];
  const mine = one.watch("task:t", 5);
  const refused = two.watch("task:u", 0);
  refused.poll = async () => two.unwatch(refused);
  feed.refused.add("task:u");
  await pass();
  feed.append("task:t");
  await pass();
  expect(feed.rooms).toEqual(["task:t"]);
  expect(mine.seen).toEqual([6]);
  expect([one.closed, two.closed]).toEqual([[], []]);
});

test("a cursor that the stream cannot answer, and the end of a task, reach all tabs", async () => {
  const [one, two] = (await tabs("1", "2")) as [Tab, Tab];
  const rooms = [one, two].map((tab) => tab.watch("task:t", 5));
  await pass();
  feed.streams[0]?.deliver("resync", { stream: "task:t", reason: "beyond_head", oldest: 1, head: 2 });
  feed.streams[0]?.deliver("log", { stream: "task:t", sequence: 3 });
  feed.streams[0]?.deliver("end", { stream: "task:t", status: "SUCCESS" });
  await pass();
  for (const { resyncs, seen, ends } of rooms) expect([resyncs, seen, ends]).toEqual([1, [3], 1]);
});

test("a cursor beyond the stream is waited for, and reset when the stream stays behind it", async () => {
  feed.heads.set("user", 2);
  const [one, two] = (await tabs("1", "2")) as [Tab, Tab];
  one.watch("task:t", 5);
  two.watch("user");
  await pass();
  const [soon, never] = [two.watch("task:t", 6), one.watch("user", 9)];
  await pass();
  feed.append("task:t", 2);
  for (let seconds = 0; seconds < 15; seconds += 5) {
    feed.alive();
    await pass(5_000);
  }
  expect([soon.seen, soon.resyncs]).toEqual([[7], 0]);
  expect(never.resyncs).toBe(1);
});
