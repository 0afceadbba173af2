import { expect, test } from "vitest";
import { plainText, withColoursOnly } from "./terminalText";

test.each([
  ["plain text", "plain text"],
  ["a\u001b[31mb\u001b[1;4mc\u001b[0md\u009b92me", "abcde"],
  ["a \u001b]8;;https://example.org\u001b\\link\u001b]8;;\u001b\\ b", "a link b"],
  ["a\u001b[2J\u001b[H\u001b[10;5Hb", "ab"],
  ["text\u001b[38;5", "text"],
  ["text\u001b", "text"],
])("%j is shown as %j", (message, text) => expect(plainText(message)).toBe(text));

test("in the log the colours stay", () => {
  expect(withColoursOnly("a\u001b[31mb\u001b[2Jc\u009b0md")).toBe("a\u001b[31mbc\u001b[0md");
});
