import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build, type BuildEnvironmentOptions } from "vite";
import { defineConfig } from "vitest/config";

const server = "http://127.0.0.1:8000";
const target = "es2022";
/** Of the package that reports: the pages name its wheel, which the server offers. */
const packageVersion = /^version = "(.+)"$/m.exec(readFileSync("../sdk/pyproject.toml", "utf8"))?.[1];
if (!packageVersion) throw new Error("../sdk/pyproject.toml has no version");

/** Builds the client as one file, at an address that stays: other front ends import it. And the element as another,
 * which imports the first. */
async function buildClient() {
  for (const [fileName, entry] of Object.entries({ taskroom: "index", element: "element" })) {
    const lib = { entry: `src/client/${entry}.ts`, formats: ["es" as const], fileName };
    const plugins = entry === "element" ? [besideTheClient] : [];
    const options = { outDir: "dist/client", emptyOutDir: false, target, lib };
    await build({ configFile: false, publicDir: false, plugins, build: options });
  }
}

const besideTheClient = {
  name: "beside-the-client",
  enforce: "pre" as const,
  resolveId: (source: string, importer?: string) =>
    source === "./index" && importer?.endsWith("element.ts") ? { id: "./taskroom.js", external: true } : null,
};

/** Writes compressed forms beside each file, where they are smaller, so that no request has to compress. */
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

/** Returns the tests that mock a module, and all others, which may share their modules. */
function testFiles() {
  const all = readdirSync("src", { recursive: true, encoding: "utf8" }).filter((name) => /\.test\.tsx?$/.test(name));
  const replaces = (name: string) => /vi\.mock\(|await import\(/.test(readFileSync(join("src", name), "utf8"));
  const include = (found: string[]) => found.map((name) => `src/${name}`);
  return { apart: include(all.filter(replaces)), together: include(all.filter((name) => !replaces(name))) };
}

// No page is painted before its script: it would be empty, or in the colours of the other theme.
const renderWithScript = {
  name: "render-with-script",
  transformIndexHtml: {
    order: "post" as const,
    handler: (html: string) => html.replace('<script type="module"', '$& blocking="render"'),
  },
};

// The virtual list is written for React; Preact's replacement has all that it needs.
const resolve = { alias: { react: "preact/compat", "react-dom": "preact/compat", "react/jsx-runtime": "preact/jsx-runtime" } };

/** Returns how pages are built. `manifest`: which files each page loads; tests/test_docs.py measures them. */
const pages = (input: string[], manifest: string): BuildEnvironmentOptions => ({
  outDir: "dist",
  target,
  // A data: address would be refused by the page's `default-src 'self'`.
  assetsInlineLimit: 0,
  manifest,
  rolldownOptions: {
    input,
    // "use client" of the virtual list is for frameworks that render on a server.
    onLog: (level, log, handle) => log.code === "MODULE_LEVEL_DIRECTIVE" || handle(level, log),
  },
});

/** Builds the page of a shared run by itself: files that it shared with the dashboard would make each of them larger. */
function buildEmbed() {
  const options = { ...pages(["embed.html"], ".vite/embed.json"), emptyOutDir: false };
  return build({ configFile: false, publicDir: false, plugins: [renderWithScript], resolve, build: options });
}

async function buildOthers() {
  await buildEmbed();
  await buildClient();
  compress("dist");
}

export default defineConfig({
  plugins: [renderWithScript, { name: "others", apply: "build", closeBundle: buildOthers }],
  define: { __PACKAGE_VERSION__: JSON.stringify(packageVersion) },
  resolve,
  build: pages(["index.html", "docs.html"], ".vite/manifest.json"),
  // Threads start sooner than processes. The limits are for tests that hang, also on a slow machine.
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
