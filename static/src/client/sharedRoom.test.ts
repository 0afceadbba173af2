import { expect, test } from "vitest";
import type { Member } from "./member";
import { SharedRoom } from "./sharedRoom";
import type { Notice } from "./tabMessages";

test("a tab that joins while the stream is opened again begins where the stream will go on", () => {
  const room = new SharedRoom("task:t", () => undefined);
  const sent: Notice[] = [];
  const [behind, ahead, last] = [1, 2, 3].map(() => ({ notify: (notice: Notice) => void sent.push(notice) }) as unknown as Member) as [
    Member,
    Member,
    Member,
  ];
  room.take(behind, { join: 1, name: "task:t", cursor: 3, rank: 1 });
  room.joined(11, 3);
  room.take(ahead, { join: 2, name: "task:t", cursor: 11, rank: 1 });

  room.leave(behind);
  expect(room.cursor).toBe(11);
  room.take(last, { join: 3, name: "task:t", cursor: null, rank: 1 });

  expect(sent.at(-1)).toEqual(["joined", 3, 11, 11]);
});
