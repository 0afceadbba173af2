import { effect } from "@preact/signals";
import { setting } from "./settings";

export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

export const theme = setting<Theme>("theme", THEMES);

/** The system's own colour of the address bar, as index.html has it. */
const bars = [...document.querySelectorAll<HTMLMetaElement>("meta[name=theme-color]")].map((meta) => ({
  meta,
  system: meta.content,
  scheme: meta.media.includes("dark") ? "dark" : "light",
}));

// Importing this is enough: it runs before the first paint, so that no page flashes in the other colours.
effect(() => {
  const chosen = theme.value;
  if (chosen === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen;
  const forced = bars.find(({ scheme }) => scheme === chosen)?.system;
  for (const { meta, system } of bars) meta.content = forced ?? system;
});
