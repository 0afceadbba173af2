import { effect } from "@preact/signals";
import { setting } from "./settings";

export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

export const theme = setting<Theme>("theme", THEMES);

/** The colours of the address bar in index.html, by theme of the system. */
const bars = [...document.querySelectorAll<HTMLMetaElement>("meta[name=theme-color]")].map((meta) => ({
  meta,
  system: meta.content,
  scheme: meta.media.includes("dark") ? "dark" : "light",
}));

// Runs at import, before the first paint, so that no page flashes in the colours of the other theme.
effect(() => {
  const chosen = theme.value;
  if (chosen === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen;
  const forced = bars.find(({ scheme }) => scheme === chosen)?.system;
  for (const { meta, system } of bars) meta.content = forced ?? system;
});
