import { Lazy } from "./state/lazy";
import { routeOf, type RouteName } from "./state/routes";
import type { Page } from "./views/lazy-page";

/** Not earlier, so that the first page loads its data without them. */
const OTHERS_MS = 3_000;

/** The view of each route, loaded when it is first needed. Signing in is in the first load instead, because a session may
 * end while nothing can be loaded. */
const PAGES: Record<Exclude<RouteName, "login">, Page> = {
  runs: new Lazy(async () => (await import("./views/runs-page")).RunsPage),
  run: new Lazy(async () => (await import("./views/run-page")).RunPage),
  compare: new Lazy(async () => (await import("./views/compare-page")).ComparePage),
  jobs: new Lazy(async () => (await import("./views/jobs-page")).JobsPage),
  job: new Lazy(async () => (await import("./views/job-page")).JobPage),
  settings: new Lazy(async () => (await import("./views/settings-page")).SettingsPage),
  trail: new Lazy(async () => (await import("./views/trail-page")).TrailPage),
  workers: new Lazy(async () => (await import("./views/fleet-page")).FleetPage),
};

/** The command palette, which every page has. */
export const PALETTE = new Lazy(async () => (await import("./views/palette")).Palette);

/** Returns the page of an address; null where there is none, or where it is not lazy. */
export function pageOf(address: string): Page | null {
  const name = routeOf(address)?.name;
  return name && name !== "login" ? PAGES[name] : null;
}

/** Loads the other pages some time later: when they are needed, the server may be away, or have another version. Returns a
 * function that stops it. */
export function loadOthers(): () => void {
  const timer = setTimeout(() => {
    for (const code of [PALETTE, ...Object.values(PAGES)]) void code.load();
  }, OTHERS_MS);
  return () => clearTimeout(timer);
}
