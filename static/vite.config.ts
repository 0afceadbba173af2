import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build } from "vite";
import { defineConfig } from "vitest/config";

const server = "http://127.0.0.1:8000";
const target = "es2022";

/** The client as one file, at an address that stays: other front ends import it. */
function buildClient() {
  const lib = { entry: "src/client/index.ts", formats: ["es" as const], fileName: "taskroom" };
  return build({ configFile: false, publicDir: false, build: { outDir: "dist/client", target, lib } });
}

/** Beside each file what goes over the wire instead, as far as that is smaller: compressed once, not for each request. */
function compress(folder: string) {
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    if (!/\.(js|css|html|svg)$/.test(name)) continue;
    const path = join(folder, name);
    const plain = readFileSync(path);
    const forms = {
      br: brotliCompressSync(plain, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: plain.length } }),
      gz: gzipSync(plain, { level: 9 }),
    };
    for (const [ending, form] of Object.entries(forms)) {
      if (form.length < plain.length) writeFileSync(`${path}.${ending}`, form);
    }
  }
}

/** Tests: those that put something in the place of a module, and all others, which may share what they have loaded. */
function testFiles() {
  const all = readdirSync("src", { recursive: true, encoding: "utf8" }).filter((name) => /\.test\.tsx?$/.test(name));
  const replaces = (name: string) => /vi\.mock\(|await import\(/.test(readFileSync(join("src", name), "utf8"));
  const include = (found: string[]) => found.map((name) => `src/${name}`);
  return { apart: include(all.filter(replaces)), together: include(all.filter((name) => !replaces(name))) };
}

// No page flashes in the colours of the other theme, or empty, while its script is on the way.
const renderWithScript = {
  name: "render-with-script",
  transformIndexHtml: {
    order: "post" as const,
    handler: (html: string) => html.replace('<script type="module"', '$& blocking="render"'),
  },
};

export default defineConfig({
  plugins: [
    renderWithScript,
    { name: "client", apply: "build", closeBundle: () => buildClient().then(() => compress("dist")) },
  ],
  // The virtual list is written for React; Preact's own stand-in for it is all it needs.
  resolve: { alias: { react: "preact/compat", "react-dom": "preact/compat", "react/jsx-runtime": "preact/jsx-runtime" } },
  build: {
    outDir: "dist",
    target,
    // A data: address would be refused by the page's `default-src 'self'`.
    assetsInlineLimit: 0,
    rolldownOptions: {
      input: ["index.html", "docs.html"],
      // "use client" of the virtual list speaks to frameworks that draw on a server.
      onLog: (level, log, tell) => log.code === "MODULE_LEVEL_DIRECTIVE" || tell(level, log),
    },
  },
  // Threads start sooner than processes; the limits are for what hangs, on a machine however slow.
  test: {
    pool: "threads",
    testTimeout: 60_000,
    hookTimeout: 60_000,
    projects: [
      { extends: true, test: { name: "apart", include: testFiles().apart } },
      { extends: true, test: { name: "together", include: testFiles().together, isolate: false, maxWorkers: 1 } },
    ],
  },
  // `npm run dev` beside a running script/up.
  server: { proxy: { "/api": server, "/socket.io": { target: server, ws: true } } },
});
