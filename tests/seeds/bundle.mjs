// A page's script with all that it imports, as one that a browser runs: `node bundle.mjs pages/003.ts`.
// What a client imports by another framework's name is given by what stands in for it here.
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const require = createRequire(new URL("../../static/package.json", import.meta.url));
const { build } = await import(pathToFileURL(require.resolve("vite")));
const [entry] = process.argv.slice(2);
const [{ output }] = await build({
  configFile: false,
  logLevel: "error",
  root: here("../../static"),
  define: { "process.env.NODE_ENV": '"test"' },
  oxc: { decorator: { legacy: true } },
  resolve: {
    alias: [
      { find: /^react$/, replacement: here("../../static/node_modules/preact/hooks/dist/hooks.mjs") },
      { find: /^preact$/, replacement: here("../../static/node_modules/preact/dist/preact.mjs") },
      { find: /^@\/contexts\/.*/, replacement: here("pages/contexts.ts") },
    ],
  },
  build: { write: false, minify: false, lib: { entry: here(entry), formats: ["iife"], name: "page" } },
});
process.stdout.write(output[0].code);
