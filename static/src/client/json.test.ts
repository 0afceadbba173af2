import { Decoder, Encoder, PacketType, type Packet } from "socket.io-parser";
import { expect, test } from "vitest";
import { exactParser } from "./exactDecoder";
import { jsonText, keepDigits, parseAsWritten, parseJson, parseUsers } from "./json";

const SNAPSHOT = '{"task": {"params": {"id": 9007199254740993, "of": [-12345678901234567890]}, "result": 9007199254740995}, "sequence": 9007199254740993}';

test("in other people's pages integers are numbers", () => {
  expect(parseJson(SNAPSHOT)).toEqual(JSON.parse(SNAPSHOT));
});

test("a page that keeps digits has those of parameters and results, and everything else as numbers", () => {
  keepDigits();
  expect(parseJson(SNAPSHOT)).toEqual({
    task: { params: { id: 9007199254740993n, of: [-12345678901234567890n] }, result: 9007199254740995n },
    sequence: 9007199254740992,
  });
  const plain = '{"params": {"a": 9007199254740991, "b": 0.12345678901234567890, "c": 1e300, "text": "id 9007199254740993, \\"90071992547409931\\" x"}}';
  expect(parseJson(plain), "what needs no more digits, and texts").toEqual(JSON.parse(plain));
  expect(() => parseJson('{"params": 9007199254740993')).toThrow(SyntaxError);
});

test("what is sent back has all digits again", () => {
  const body = { params: { id: 9007199254740993n, text: "9007199254740993", n: 1.5 } };
  expect(jsonText(body)).toBe('{"params":{"id":9007199254740993,"text":"9007199254740993","n":1.5}}');
  expect(jsonText([-9007199254740993n], 2)).toBe("[\n  -9007199254740993\n]");
  expect(jsonText(parseUsers('{"a": [123456789012345678901234567890], "b": 2}'))).toBe('{"a":[123456789012345678901234567890],"b":2}');
});

test("a line of JSON has each number as it was written", () => {
  const made = parseAsWritten('{"a": 9007199254740993, "b": 1.50, "c": 1e400, "d": -0, "e": 12, "f": "1.50 \\" 2.50"}', (digits) => ({ digits }));
  expect(made).toEqual({
    a: { digits: "9007199254740993" },
    b: { digits: "1.50" },
    c: { digits: "1e400" },
    d: { digits: "-0" },
    e: 12,
    f: '1.50 " 2.50',
  });
  for (const text of ["[2026-11-30]", "[1.2.3]", "{1}", "[01]"]) expect(() => parseAsWritten(text, String), text).toThrow(SyntaxError);
});

test("a message of Socket.IO keeps the digits too, and others are as they were", () => {
  const received = (parser: { Decoder: new () => Decoder }, data: unknown[]): unknown => {
    const decoder = new parser.Decoder();
    const packets: Packet[] = [];
    decoder.on("decoded", (packet) => packets.push(packet as Packet));
    const [text] = new Encoder().encode({ type: PacketType.EVENT, nsp: "/", id: 12, data } as Packet) as [string];
    decoder.add(text.replace('"LONG"', "9007199254740993"));
    return packets;
  };
  const batch = (result: unknown) => ["events", [["task_status", { sequence: 7, result }]]];
  expect(received(exactParser, batch({ id: "LONG" }))).toEqual([
    { type: PacketType.EVENT, nsp: "/", id: 12, data: batch({ id: 9007199254740993n }) },
  ]);
  const other = batch({ id: "12", text: "é" });
  expect(received(exactParser, other)).toEqual(received({ Decoder }, other));
});
