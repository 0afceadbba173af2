import { expect, test } from "vitest";
import type { LogLine } from "../client/types";
import { isReplaced } from "./log-replaced";
import { marked, pieces, plain } from "./log-text";
import { local } from "./time";

const line = (message: string): LogLine => ({
  sequence: 1,
  timestamp: "",
  level: "INFO",
  message,
  component: null,
  phase: null,
});
const of = (message: string) => pieces(line(message));

test("a line without codes is one piece", () => {
  expect(of("plain [31m text")).toEqual([{ text: "plain [31m text" }]);
});

test("for when a task is due is told in the reader's own time", () => {
  const due = { ...line("Due at 2026-11-29T21:49:15.719318+00:00"), component: "celery" };
  expect(plain(due)).toBe(`Due at ${local("2026-11-29T21:49:15.719318+00:00")}`);
  expect(plain({ ...due, component: "shop" })).toBe(due.message);
  expect(plain({ ...due, message: "Due at 2026-11-29Tnoon" })).toBe("Due at 2026-11-29Tnoon");
});

test("the sixteen colours and what goes with them are classes", () => {
  expect(of("a\u001b[31mb\u001b[1;4mc\u001b[0md\u001b[92;3me")).toEqual([
    { text: "a" },
    { text: "b", look: "ansi-red-fg" },
    { text: "c", look: "ansi-red-fg ansi-bold ansi-underline" },
    { text: "d" },
    { text: "e", look: "ansi-bright-green-fg ansi-italic" },
  ]);
});

test("what comes later in a line does not change what came before", () => {
  expect(of("\u001b[1ma\u001b[3mb").map(({ look }) => look)).toEqual(["ansi-bold", "ansi-bold ansi-italic"]);
});

test("colours beyond the sixteen are given as they are, those of the palette by its formula", () => {
  expect(of("\u001b[38;5;196ma\u001b[38;5;244mb\u001b[38;2;1;2;3mc\u001b[38;5;9md")).toEqual([
    { text: "a", colour: "255, 0, 0" },
    { text: "b", colour: "128, 128, 128" },
    { text: "c", colour: "1, 2, 3" },
    { text: "d", look: "ansi-bright-red-fg" },
  ]);
});

test("on a coloured ground the text has no colour of its own", () => {
  expect(of("\u001b[31;41ma\u001b[0;31;48;5;16mb")).toEqual([
    { text: "a", look: "ansi-red-bg" },
    { text: "b", ground: "0, 0, 0" },
  ]);
});

test("text that a line would hide is shown", () => {
  expect(of("\u001b[8msecret\u001b[5mblink")).toEqual([{ text: "secret" }, { text: "blink" }]);
});

test.each([
  ["a link", "a \u001b]8;;javascript:alert(1)\u001b\\here\u001b]8;;\u001b\\ b", "a here b"],
  ["a title", "\u001b]0;title\u0007text", "text"],
  ["the clipboard", "\u001b]52;c;ZXZpbA==\u0007text", "text"],
  ["an unclosed string", "text\u001b]52;c;ZXZpbA==", "text"],
  ["cursor moves", "a\u001b[2J\u001b[H\u001b[10;5Hb\u001b[?25lc", "abc"],
  ["an unclosed code", "text\u001b[38;5", "text"],
  ["a lone escape", "text\u001b", "text"],
  ["single characters beyond ASCII", "\u009b31mred\u009d0;title\u009c.\u0085", "red."],
  ["a device's string", "\u001bP1$qm\u001b\\text", "text"],
  ["a character set", "\u001b(0text\u001b)B", "text"],
  ["a code that another hid", "\u001b\u001b[2J]8;;javascript:x\u0007y", "]8;;javascript:x\u0007y"],
])("%s of a terminal is gone, the text stays", (_, message, text) => {
  expect(plain(line(message))).toBe(text);
});

test("colours end with their line", () => {
  of("\u001b[31;1mred and bold to the end");
  expect(of("\u001b[4mnext")).toEqual([{ text: "next", look: "ansi-underline" }]);
});

test("addresses are links, without the sentence around them, and only those of the web", () => {
  const found = marked(line("see (https://a.example/x?y=1). javascript:alert(1) ftp://b http:// https://[bad"), "");
  expect(found.filter(({ href }) => href)).toEqual([
    { text: "https://a.example/x?y=1", href: "https://a.example/x?y=1" },
  ]);
  expect(found.map(({ text }) => text).join("")).toBe(
    "see (https://a.example/x?y=1). javascript:alert(1) ftp://b http:// https://[bad",
  );
});

test("hits are pieces of their own, across colours and within links too", () => {
  expect(marked(line("one t\u001b[31mwo\u001b[0m TWO"), "two")).toEqual([
    { text: "one " },
    { text: "t", hit: true },
    { text: "wo", look: "ansi-red-fg", hit: true },
    { text: " " },
    { text: "TWO", hit: true },
  ]);
  expect(marked(line("http://a.example/b"), "example")).toEqual([
    { text: "http://a.", href: "http://a.example/b" },
    { text: "example", href: "http://a.example/b", hit: true },
    { text: "/b", href: "http://a.example/b" },
  ]);
});

test("a line that goes back to its beginning is shown in its last state", () => {
  expect(plain(line("10 %\r55 %\r100 %"))).toBe("100 %");
  expect(plain(line("55 %\r"))).toBe("55 %");
  expect(plain(line("two\nlines\r\nthree"))).toBe("two\nlines\nthree");
  expect(plain(line("\u001b[31m10 %\r\u001b[32m100 %"))).toBe("100 %");
  expect(marked(line("10 %\r100 %"), "10 %").some(({ hit }) => hit)).toBe(false);
});

test("a progress bar is replaced by the next line of its source", () => {
  const bar = { ...line("55 %\r"), component: "stderr" };
  expect(isReplaced(bar, { ...line("60 %\r"), component: "stderr" })).toBe(true);
  expect(isReplaced(bar, { ...line("100 %"), component: "stderr" })).toBe(true);
  expect(isReplaced(bar, { ...line("a line"), component: "stdout" })).toBe(false);
  expect(isReplaced(bar, null), "the last one is shown").toBe(false);
  expect(isReplaced({ ...line("55 %"), component: "stderr" }, line("x"))).toBe(false);
});
