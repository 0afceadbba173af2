import type { Api } from "../client/api";
import { api, go } from "./app";

const ID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/;
/** Fewer characters would open a run that was not meant. */
const BEGINNING = /^[0-9a-f]{4}[0-9a-f-]*$/;
/** A search also finds titles, so more than one answer is looked through. */
const LOOKED_THROUGH = 50;

/** Opens the run of that id or beginning, else the list of runs with that search. */
export async function find(text: string): Promise<void> {
  go(await addressOf(text, api));
}

export async function addressOf(text: string, calls: Pick<Api, "tasks">): Promise<string> {
  const id = text.replace(/^#/, "").toLowerCase();
  if (ID.test(id)) return `/runs/${id}`;
  if (BEGINNING.test(id)) {
    const runs = await begun(id, calls);
    if (runs.length === 1) return `/runs/${runs[0]}`;
  }
  return text ? `/?q=${encodeURIComponent(text)}` : "/";
}

async function begun(id: string, calls: Pick<Api, "tasks">): Promise<string[]> {
  try {
    const { tasks } = await calls.tasks({ q: id }, LOOKED_THROUGH);
    return tasks.map(({ task_id }) => task_id).filter((task_id) => task_id.startsWith(id));
  } catch {
    // The list says itself that the server does not answer, and searches when it does.
    return [];
  }
}
