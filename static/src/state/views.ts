import { signal } from "@preact/signals";
import { Problem } from "../client/problem";
import { changeView, removeView, savedViews, saveView, type SavedView, type ViewBody } from "../client/savedViews";
import { session } from "./app";
import { paramsOf, withQuery } from "./url";

/** The user's views and those of its tenant, by name; null until the first answer, and why there is none. */
export const views = signal<readonly SavedView[] | Problem | null>(null);

let loading = false;

/** Loads the views, once at a time; those that were shown stay meanwhile. */
export async function loadViews(): Promise<void> {
  if (loading) return;
  loading = true;
  try {
    views.value = byName(await savedViews(session));
  } catch (error) {
    if (!Array.isArray(views.value)) views.value = Problem.of(error);
  } finally {
    loading = false;
  }
}

/** Saves the filters of an address under a name. Throws Problem. */
export async function keepView(name: string, address: string, shared: boolean): Promise<void> {
  put(await saveView(session, { name, filters: filtersOf(address), shared }));
}

/** Renames a view, shares it or gives it other filters. Throws Problem. */
export async function updateView(view: SavedView, changes: Partial<ViewBody>): Promise<void> {
  const { name, filters, shared } = { ...view, ...changes };
  put(await changeView(session, view.id, { name, filters, shared }));
}

/** Throws Problem. */
export async function dropView(view: SavedView): Promise<void> {
  await removeView(session, view.id);
  views.value = known().filter(({ id }) => id !== view.id);
}

/** Returns the filters of an address of the list. */
export const filtersOf = (address: string): Record<string, string> => Object.fromEntries(paramsOf(address));

export const viewAddress = ({ filters }: Pick<SavedView, "filters">): string => withQuery("/", new URLSearchParams(filters));

/** Returns the view that an address shows: one with the same filters, in any order. The plain list is none. */
export function viewOf(address: string, all: readonly SavedView[]): SavedView | undefined {
  const wanted = sorted(filtersOf(address));
  return wanted === sorted({}) ? undefined : all.find(({ filters }) => sorted(filters) === wanted);
}

const sorted = (filters: Record<string, string>): string => JSON.stringify(Object.entries(filters).sort());

const known = (): readonly SavedView[] => (Array.isArray(views.value) ? views.value : []);

function put(view: SavedView): void {
  views.value = byName([...known().filter(({ id }) => id !== view.id), view]);
}

const byName = (all: readonly SavedView[]): SavedView[] => [...all].sort((one, other) => one.name.localeCompare(other.name));
