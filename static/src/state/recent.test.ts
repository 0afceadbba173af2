import { expect, test } from "vitest";
import { recentPages, remember } from "./recent";

const page = (n: number) => ({ to: `/runs/${n}`, name: `run ${n}`, about: "echo" });

function texts() {
  const kept = new Map<string, string>();
  return { read: (key: string) => kept.get(key) ?? null, write: (key: string, text: string) => void kept.set(key, text) };
}

test("the page that was looked at last comes first, each once, and twelve at most", () => {
  const kept = texts();
  for (let n = 1; n <= 14; n += 1) remember("7", page(n), kept);
  remember("7", { ...page(9), name: "renamed" }, kept);

  const names = recentPages("7", kept).map(({ name }) => name);
  expect(names.slice(0, 3)).toEqual(["renamed", "run 14", "run 13"]);
  expect(names).toHaveLength(12);
});

test("another user of the browser sees none of it, and a title of any length has its place", () => {
  const kept = texts();
  remember("7", { ...page(1), name: "x".repeat(5_000) }, kept);
  expect(recentPages("8", kept)).toEqual([]);
  expect(recentPages("7", kept)[0]?.name).toHaveLength(200);
});
