import { build } from "vite";
import { defineConfig } from "vitest/config";

const server = "http://127.0.0.1:8000";
const target = "es2022";

/** The client as one file, at an address that stays: other front ends import it. */
function buildClient() {
  const lib = { entry: "src/client/index.ts", formats: ["es" as const], fileName: "taskroom" };
  return build({ configFile: false, publicDir: false, build: { outDir: "dist/client", target, lib } });
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
    { name: "client", apply: "build", closeBundle: async () => void (await buildClient()) },
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
  test: { pool: "threads", testTimeout: 60_000, hookTimeout: 60_000 },
  // `npm run dev` beside a running script/up.
  server: { proxy: { "/api": server, "/socket.io": { target: server, ws: true } } },
});
