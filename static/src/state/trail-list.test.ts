import { expect, test, vi } from "vitest";
import type { TrailEntry, TrailPage } from "../client/account";
import { Problem } from "../client/problem";
import { TrailList } from "./trail-list";

const entry = (id: string): TrailEntry => ({ id, at: "2026-11-30T10:00:00Z" }) as TrailEntry;
const page = (next: string | null, ...ids: string[]): TrailPage => ({ entries: ids.map(entry), next });
const ids = (list: TrailList): string[] | undefined => list.entries.value?.map(({ id }) => id);

test("pages follow one another", async () => {
  const trail = vi.fn().mockResolvedValueOnce(page("a", "3", "2")).mockResolvedValueOnce(page(null, "1"));
  const list = new TrailList({ trail }, { action: "runs" });
  await list.load();
  await list.more();
  await list.more();
  expect(ids(list)).toEqual(["3", "2", "1"]);
  expect(trail.mock.calls).toEqual([
    [{ action: "runs" }, 50, undefined],
    [{ action: "runs" }, 50, "a"],
  ]);
});

test("of pages without a hit some are passed over, and then the reader decides", async () => {
  const trail = vi.fn().mockImplementation((_query, _limit, cursor?: string) => Promise.resolve(page(String(Number(cursor ?? 0) + 1))));
  const list = new TrailList({ trail }, {});
  await list.load();
  expect([trail.mock.calls.length, ids(list), list.next.value]).toEqual([4, [], "4"]);
});

test("a failure keeps what is shown, and an answer after the end changes nothing", async () => {
  const trail = vi.fn().mockResolvedValueOnce(page("a", "1")).mockRejectedValueOnce(new Problem(503, "away")).mockResolvedValueOnce(page(null, "0"));
  const list = new TrailList({ trail }, {});
  await list.load();
  await list.more();
  expect([ids(list), list.problem.value?.status]).toEqual([["1"], 503]);
  const late = list.more();
  list.stop();
  await late;
  expect(ids(list)).toEqual(["1"]);
});
