import { Problem } from "../client/problem";
import { address, go } from "./address";
import { mayAct, session } from "./app";
import { commands } from "./commands";
import { jobTypes } from "./jobs";
import { effective, EVERYWHERE, keysOn, shortcutGroups } from "./keys";
import { setSwitch } from "./log-settings";
import { PALETTE_KEYS } from "./palette-keys";
import type { Entry } from "./palette";
import { PLACES } from "./places";
import { recentPages } from "./recent";
import { jobAddress } from "./routes";
import { taskTypes } from "./task-types";
import { theme, THEMES } from "./theme";
import { typeNames } from "./type-names";
import { pathOf } from "./url";

/** Returns what the palette offers without a question to the server. `start` opens the form of a job type. */
export function localEntries(userId: string, start: (jobType: string) => void): readonly Entry[] {
  const here = pathOf(address.value);
  const recent = recentPages(userId)
    .filter(({ to }) => pathOf(to) !== here)
    .map((page): Entry => ({ ...page, id: `recent ${page.to}`, group: "Recent" }));
  const pages = PLACES.map(({ name, to, keys }): Entry => ({ id: to, group: "Pages", name, to, keys }));
  const docs: Entry = { id: "docs", group: "Pages", name: "API docs", run: () => location.assign("/api/docs") };
  return [...recent, ...actions(), ...pages, docs, ...(mayAct.value ? startable(start) : []), ...jobs()];
}

/** What can be done here, with its keys; what is everywhere comes after what only this page has. */
function actions(): readonly Entry[] {
  const left = new Set([PALETTE_KEYS, ...PLACES.map(({ keys }) => keys)]);
  const groups = effective(shortcutGroups.value);
  const keyed = (all: boolean): Entry[] =>
    groups
      .filter(({ name }) => (name === EVERYWHERE) === all)
      .flatMap(({ name: about, shortcuts }) =>
        shortcuts
          .filter(({ keys }) => !left.has(keys))
          .map(({ keys, description: name, run }): Entry => ({ id: `key ${keys}`, group: "Actions", name, run, keys, ...(all ? {} : { about }) })),
      );
  const named = (list: readonly { name: string; sure?: string; run: () => void }[]): Entry[] =>
    list.map((command) => ({ ...command, id: `do ${command.name}`, group: "Actions" }));
  return [...named(commands.value), ...keyed(false), ...keyed(true), ...named(settings())];
}

function settings() {
  const themes = THEMES.filter((name) => name !== theme.value).map((name) => ({ name: `Theme: ${name}`, run: () => void (theme.value = name) }));
  const keys = { name: `Keyboard shortcuts: ${keysOn.value === "on" ? "off" : "on"}`, run: () => setSwitch(keysOn) };
  const out = { name: "Sign out", run: () => void session.logout() };
  return [...themes, keys, out];
}

function startable(start: (jobType: string) => void): readonly Entry[] {
  const types = jobTypes.value;
  if (!types || types instanceof Problem) return [];
  return types.map(({ job_type, title }): Entry => {
    const name = `Start: ${title || job_type}`;
    return { id: `start ${job_type}`, group: "Start a run", name, run: () => start(job_type), ...(title ? { about: job_type } : {}) };
  });
}

const jobs = (): readonly Entry[] =>
  typeNames(jobTypes.value, taskTypes.value, "").map((name): Entry => ({ id: `job ${name}`, group: "Jobs", name, to: jobAddress(name) }));

/** Does what an entry is for. `apart`: in a tab of its own, where it leads to a page. */
export function take({ to, run }: Entry, apart: boolean): void {
  if (to === undefined) run?.();
  else if (apart) open(to, "_blank", "noopener");
  else go(to);
}
