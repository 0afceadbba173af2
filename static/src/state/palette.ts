import { computed, signal } from "@preact/signals";
import type { Api } from "../client/api";
import { Problem } from "../client/problem";
import type { Status, Task } from "../client/types";
import { hasTitle, shortId } from "./format";
import { fit } from "./fuzzy";
import { runAddress } from "./routes";

const GROUPS = ["Recent", "Actions", "Pages", "Start a run", "Jobs", "Runs"] as const;

/** One line of the palette: it leads to an address, or does something. */
export interface Entry {
  id: string;
  group: (typeof GROUPS)[number];
  name: string;
  /** What it is, in small. */
  about?: string;
  keys?: string;
  status?: Status;
  /** What it is called when it has to be taken a second time. */
  sure?: string;
  to?: string;
  run?: () => void;
  /** The places in the name that were searched for. */
  at?: readonly number[];
}

const TYPED_MS = 150;
const LEAST = 2;
const MOST = 8;
/** Of what fits, so that the runs are in view too. */
const MOST_FITTING = 5;
/** What was looked at before is more often meant. */
const OF_RECENT = 4;

/** What the palette offers: the entries of the page that fit what is typed, and runs that the server finds. */
export class Palette {
  readonly text = signal("");
  /** The runs that were found; null while none were searched for. */
  private readonly found = signal<{ text: string; tasks: readonly Task[] } | null>(null);
  readonly problem = signal<Problem | null>(null);
  /** The entry that Enter takes; null: the first. */
  private readonly marked = signal<string | null>(null);
  private timer: ReturnType<typeof setTimeout> | undefined;
  readonly entries = computed(() => this.listed());
  readonly active = computed(() => this.entries.value.find(({ id }) => id === this.marked.value) ?? this.entries.value[0] ?? null);
  /** Whether the answer to what is typed is still to come. */
  readonly isSearching = computed(() => this.searched.length >= LEAST && this.found.value?.text !== this.searched && !this.problem.value);

  constructor(
    private readonly local: () => readonly Entry[],
    private readonly api: Pick<Api, "tasks">,
    private readonly scope: "tenant" | undefined,
    /** Opens the run with what is typed as its id, else the list that is searched for it. */
    private readonly searchAll: (text: string) => void,
  ) {}

  type(text: string): void {
    this.text.value = text;
    this.marked.value = null;
    this.problem.value = null;
    clearTimeout(this.timer);
    if (this.searched.length >= LEAST) this.timer = setTimeout(() => void this.search(), TYPED_MS);
  }

  /** Marks the entry that is so many further, and begins again at the end. */
  step(by: number): void {
    const list = this.entries.value;
    const at = list.findIndex((entry) => entry === this.active.value);
    if (list.length) this.marked.value = (list[(at + by + list.length) % list.length] as Entry).id;
  }

  /** Marks the entry that is so many further, or the last one there is. */
  leap(by: number): void {
    const list = this.entries.value;
    const at = list.findIndex((entry) => entry === this.active.value);
    this.mark(list[Math.max(0, Math.min(list.length - 1, at + by))]?.id ?? null);
  }

  mark(id: string | null): void {
    this.marked.value = id;
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  /** "#" marks an id; it is no part of the id. */
  private get searched(): string {
    return this.text.value.trim().replace(/^#/, "");
  }

  private async search(): Promise<void> {
    const text = this.searched;
    try {
      const { tasks } = await this.api.tasks({ q: text, scope: this.scope }, MOST);
      if (text === this.searched) this.found.value = { text, tasks };
    } catch (error) {
      if (text === this.searched) this.problem.value = Problem.of(error);
    }
  }

  private listed(): readonly Entry[] {
    const text = this.text.value.trim();
    const local = this.local();
    if (!text) return GROUPS.flatMap((group) => firstOf(local.filter((entry) => entry.group === group)));
    const fitting = ranked(local, text);
    const shown = new Set(fitting.map(({ to }) => to));
    const runs = (this.found.value?.tasks ?? []).map((task) => entryOf(task, text)).filter(({ to }) => !shown.has(to));
    const all: Entry = { id: "all", group: "Runs", name: `All runs with “${text}”`, run: () => this.searchAll(text) };
    // Those of an earlier text stay until the answer to this one, so that nothing flickers.
    return [...fitting, ...(this.searched.length < LEAST ? [] : runs), all];
  }
}

/** All actions of the page are shown, and of what may be hundreds the first ones. */
const firstOf = (entries: readonly Entry[]): readonly Entry[] => (entries[0]?.group === "Actions" ? entries : entries.slice(0, MOST));

/** Returns the entries that fit, group by group, the group with the best one first; what is recent is in no other group. */
function ranked(local: readonly Entry[], text: string): readonly Entry[] {
  const recent = new Set(local.filter(({ group }) => group === "Recent").map(({ to }) => to));
  const found = local
    .filter(({ group, to }) => group === "Recent" || to === undefined || !recent.has(to))
    .flatMap((entry) => {
      const own = fit(text, entry.name);
      const wide = own ?? fit(text, `${entry.name} ${entry.about ?? ""}`);
      return wide ? [{ entry: { ...entry, at: own?.at ?? [] }, score: wide.score + (entry.group === "Recent" ? OF_RECENT : 0) }] : [];
    })
    .sort((a, b) => b.score - a.score);
  const groups = [...new Set(found.map(({ entry }) => entry.group))];
  return groups.flatMap((group) => found.filter(({ entry }) => entry.group === group).slice(0, MOST_FITTING).map(({ entry }) => entry));
}

function entryOf(task: Task, text: string): Entry {
  const named = hasTitle(task);
  const name = named ? task.title : task.job_type;
  const about = named ? `${task.job_type} · ${shortId(task.task_id)}` : shortId(task.task_id);
  const to = runAddress(task.task_id);
  return { id: to, group: "Runs", name, about, status: task.status, to, at: fit(text, name)?.at ?? [] };
}
