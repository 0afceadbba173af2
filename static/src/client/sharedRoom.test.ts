import { expect, test } from "vitest";
import type { Word } from "./letters";
import type { Member } from "./member";
import { SharedRoom } from "./sharedRoom";

test("who comes while the stream is opened again begins where it will go on, not where it stood", () => {
  const room = new SharedRoom("task:t", () => undefined);
  const said: Word[] = [];
  const [behind, ahead, last] = [1, 2, 3].map(() => ({ say: (word: Word) => void said.push(word) }) as unknown as Member) as [
    Member,
    Member,
    Member,
  ];
  room.take(behind, { seat: 1, name: "task:t", cursor: 3, rank: 1 });
  room.joined(11, 3);
  room.take(ahead, { seat: 2, name: "task:t", cursor: 11, rank: 1 });

  room.leave(behind);
  expect(room.cursor).toBe(11);
  room.take(last, { seat: 3, name: "task:t", cursor: null, rank: 1 });

  expect(said.at(-1)).toEqual(["joined", 3, 11, 11]);
});
