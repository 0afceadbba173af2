// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Backoff } from "./backoff";
import { PageConnection } from "./connection";
import { Feed } from "./testing/feed";
import { FakeAccess, noting, snapshotAt } from "./testing/page";
import { io, sockets } from "./testing/sockets";
import { Browser } from "./testing/tabs";

vi.mock("socket.io-client", () => ({ io: (options: never) => io(options) }));

const pass = (ms = 50): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);
let browser: Browser;
let feed: Feed;
let pages: Page[];

/** A page on which the task `t` is watched. */
class Page {
  readonly access = new FakeAccess();
  readonly notes = noting();
  readonly connection: PageConnection;

  constructor(name: string) {
    this.access.who = "1";
    this.connection = new PageConnection(this.access, new Backoff(() => 0));
    browser.as(name, () => this.connection.task("t", this.notes.sink));
  }
}

beforeEach(async () => {
  vi.useFakeTimers();
  sockets.length = 0;
  browser = new Browser();
  feed = new Feed();
  feed.heads.set("task:t", 5);
  feed.server.answers.set("/tasks/t/status", snapshotAt(5));
  pages = ["1", "2", "3"].map((name) => new Page(name));
  await pass();
  for (const socket of sockets) socket.fail(new Error("websocket error"));
  await pass();
});
afterEach(() => {
  for (const { connection } of pages) connection.close();
  browser.end();
  vi.useRealTimers();
});

const links = (): unknown[] => pages.map(({ connection }) => connection.link);

test("pages of one browser whose WebSockets are blocked are all live, by one stream", async () => {
  expect(links()).toEqual(Array(3).fill({ kind: "live", wire: "sse" }));
  feed.append("task:t", 2);
  await pass();
  expect(feed.streams).toHaveLength(1);
  for (const { notes } of pages) expect(notes.seen).toEqual(["snapshot 5", 6, 7]);
});

test("each goes up to the WebSocket for itself, and leaves the stream to the others", async () => {
  for (let seconds = 0; seconds < 60; seconds += 10) {
    feed.alive();
    await pass(10_000);
  }
  expect(sockets).toHaveLength(6);
  sockets[3]?.open();
  await pass();
  feed.append("task:t");
  await pass();
  const up = { kind: "live", wire: "socket" };
  expect(links().filter((link) => JSON.stringify(link) === JSON.stringify(up))).toHaveLength(1);
  expect(pages.map(({ notes }) => notes.seen).filter((seen) => seen.includes(6))).toHaveLength(2);
  expect(feed.streams).toHaveLength(1);
});

test("one that signs out leaves the stream to the others", async () => {
  pages[0]?.access.signIn(false);
  await pass();
  feed.append("task:t");
  await pass();
  expect(links()).toEqual([{ kind: "signed out" }, ...Array(2).fill({ kind: "live", wire: "sse" })]);
  expect(pages.map(({ notes }) => notes.seen.at(-1))).toEqual(["snapshot 5", 6, 6]);
  expect(feed.streams).toHaveLength(1);
});

test("when the stream is cut all reconnect, and share one again", async () => {
  feed.cut();
  await pass();
  expect(new Set(pages.map(({ connection }) => connection.link.kind))).toContain("reconnecting");
  feed.append("task:t");
  await pass(1_000);
  for (const socket of sockets) socket.fail(new Error("websocket error"));
  await pass();
  expect(links()).toEqual(Array(3).fill({ kind: "live", wire: "sse" }));
  expect(feed.streams).toHaveLength(1);
  for (const { notes } of pages) expect(notes.seen).toEqual(["snapshot 5", 6]);
});
