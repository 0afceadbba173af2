import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { expect, test } from "vitest";

const SRC = new URL(".", import.meta.url);
/** Each folder may import those to its left; files beside the folders may import all. */
const LAYERS = ["client", "state", "views"];
/** What other front ends import: docs/client.md, and the hooks. */
const PUBLIC = /^(client\/(index|element)|hooks\/\w+)\.ts$/;
/** Libraries that the pages need, and signing in does not. */
const LATER = ["virtua", "anser", "socket.io-client"];

const names = readdirSync(SRC, { recursive: true, encoding: "utf8" }).map((name) => name.replaceAll("\\", "/"));
const read = (name: string): string => readFileSync(new URL(name, SRC), "utf8");
const sources = new Map(names.filter((name) => /\.tsx?$/.test(name)).map((name) => [name, read(name)]));
const isTest = (name: string): boolean => /\.(test|fake)\.|\/testing\//.test(name);
const modules = [...sources.keys()].filter((name) => !isTest(name));

const STATIC = /^(?:import|export)\s(?:[^;"]*?\sfrom\s+)?"([^"]+)"/gm;
/** Without what is imported for its types only. */
const VALUES = /^(?:import|export)\s(?!type\s)(?:[^;"]*?\sfrom\s+)?"([^"]+)"/gm;
const DYNAMIC = /\bimport\("([^"]+)"\)/g;

/** Returns the modules and packages that a module imports. */
function importsOf(name: string, how = [STATIC, DYNAMIC]): string[] {
  const text = sources.get(name) ?? "";
  return how.flatMap((pattern) => [...text.matchAll(pattern)]).map(([, specifier = ""]) => {
    if (!specifier.startsWith(".")) return specifier;
    const path = normalize(join(dirname(name), specifier));
    return ["", ".ts", ".tsx"].map((ending) => path + ending).find((file) => sources.has(file)) ?? path;
  });
}

/** Returns all that a module imports in turn, without what is loaded later. */
function loadedWith(name: string, how = STATIC, found = new Set<string>()): Set<string> {
  for (const other of importsOf(name, [how])) {
    if (found.has(other)) continue;
    found.add(other);
    loadedWith(other, how, found);
  }
  return found;
}

test("views import state, state imports the client, and never the other way", () => {
  const layer = (name: string): number => {
    const at = LAYERS.indexOf(name.split("/")[0] ?? "");
    return at < 0 ? LAYERS.length : at;
  };
  const wrong = modules.flatMap((name) =>
    importsOf(name)
      .filter((other) => sources.has(other) && layer(other) > layer(name))
      .map((other) => `${name} imports ${other}`),
  );
  expect(wrong).toEqual([]);
});

test("no module imports itself in turn", () => {
  expect(modules.filter((name) => loadedWith(name).has(name))).toEqual([]);
});

test("each export is imported somewhere", () => {
  const importers = new Map<string, string[]>();
  for (const name of sources.keys()) {
    for (const other of importsOf(name)) importers.set(other, [...(importers.get(other) ?? []), name]);
  }
  const unused = modules
    .filter((name) => !PUBLIC.test(name))
    .flatMap((name) => {
      const exported = (sources.get(name) ?? "").matchAll(/^export (?:abstract |async )?(?:class|const|function\*?|interface|type) (\w+)/gm);
      const users = (importers.get(name) ?? []).map((user) => sources.get(user) ?? "");
      return [...exported]
        .map(([, exportedName = ""]) => exportedName)
        .filter((it) => !users.some((text) => new RegExp(`\\b${it}\\b|export (type )?\\* from`).test(text)))
        .map((it) => `${name}: ${it}`);
    });
  expect(unused).toEqual([]);
});

test("the page of a shared run and the element have neither a session nor its cookies", () => {
  for (const name of ["embed.tsx", "client/element.ts"]) {
    expect([...loadedWith(name)].filter((other) => other === "state/app.ts"), name).toEqual([]);
  }
  expect([...loadedWith("embed.tsx")]).not.toContain("client/session.ts");
});

test("signing in has no page and no connection in it", () => {
  const first = loadedWith("main.tsx", VALUES);
  expect([...first].filter((name) => LATER.includes(name) || /runs-page|run-page|^inside\.tsx|state\/app\./.test(name))).toEqual([]);
  expect(LATER.filter((name) => modules.some((module) => importsOf(module).includes(name)))).toEqual(LATER);
});
