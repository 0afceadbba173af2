import { defineConfig } from "vitest/config";

const server = "http://127.0.0.1:8000";

// No page flashes in the colours of the other theme, or empty, while its script is on the way.
const renderWithScript = {
  name: "render-with-script",
  transformIndexHtml: {
    order: "post" as const,
    handler: (html: string) => html.replace('<script type="module"', '$& blocking="render"'),
  },
};

export default defineConfig({
  // The virtual list is written for React; Preact's own stand-in for it is all it needs.
  resolve: { alias: { react: "preact/compat", "react-dom": "preact/compat", "react/jsx-runtime": "preact/jsx-runtime" } },
  plugins: [renderWithScript],
  build: {
    outDir: "dist",
    target: "es2022",
    // A data: address would be refused by the page's `default-src 'self'`.
    assetsInlineLimit: 0,
    rolldownOptions: { input: ["index.html", "docs.html"] },
  },
  // `npm run dev` beside a running script/up.
  server: { proxy: { "/api": server, "/socket.io": { target: server, ws: true } } },
});
