import { expect, test } from "vitest";
import { EventStreamText } from "./eventStream";

const TEXT =
  'retry: 1200\nid: 1\nevent: connected\ndata: {"rooms":{}}\n\n: keep-alive\n\nid: 2\nevent: log\ndata: {"message":"a: b\\n"}\n\ndata: one\ndata: two\n\n';
const MESSAGES = [
  { type: "connected", data: '{"rooms":{}}' },
  { type: "log", data: '{"message":"a: b\\n"}' },
  { type: "message", data: "one\ntwo" },
];

test.each([1, 2, 7, 1_000])("finds the messages in pieces of %i characters", (size) => {
  const text = new EventStreamText();
  const pieces = Array.from({ length: Math.ceil(TEXT.length / size) }, (_, at) => TEXT.slice(at * size, (at + 1) * size));
  expect(pieces.flatMap((piece) => text.push(piece))).toEqual(MESSAGES);
});

test("keeps what is not whole yet, and a line that only looks like a break", () => {
  const text = new EventStreamText();
  expect(text.push("event: log\ndata: a\u2028b\n")).toEqual([]);
  expect(text.push("\n")).toEqual([{ type: "log", data: "a\u2028b" }]);
});
