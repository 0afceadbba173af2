import type { Api } from "../client/api";
import { runAddress } from "./routes";

const ID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/;
/** Fewer characters could open another run than the one that was meant. */
const BEGINNING = /^[0-9a-f]{4}[0-9a-f-]*$/;
/** A search also finds titles, so more than one answer is looked through. */
const LOOKED_THROUGH = 50;

/** Returns the address of the run with that id or beginning of one, else of the list with that search. */
export async function searchAddress(text: string, api: Pick<Api, "tasks">): Promise<string> {
  const id = text.replace(/^#/, "").toLowerCase();
  if (ID.test(id)) return runAddress(id);
  if (BEGINNING.test(id)) {
    const runs = await runsWith(id, api);
    if (runs.length === 1) return runAddress(runs[0] as string);
  }
  return text ? `/?q=${encodeURIComponent(text)}` : "/";
}

async function runsWith(beginning: string, api: Pick<Api, "tasks">): Promise<string[]> {
  try {
    const { tasks } = await api.tasks({ q: beginning }, LOOKED_THROUGH);
    return tasks.map(({ task_id }) => task_id).filter((task_id) => task_id.startsWith(beginning));
  } catch {
    // The list shows by itself that the server does not answer, and searches when it does.
    return [];
  }
}
