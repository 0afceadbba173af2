import type { Api } from "../client/api";
import type { Problem } from "../client/problem";
import type { TaskPage } from "../client/taskLists";
import { taskFilterOf, type RunFilter } from "./filter";

const FIRST_PAGE = 50;
const OLDER_PAGE = 100;

/** How the loading of older runs gets on. */
export type Older = { kind: "idle" } | { kind: "loading" } | { kind: "failed"; problem: Problem };

/** Loads a page of runs that is not empty, while it is `wanted`: the server filters a limited number of runs a request, and may find
 * none there. `cursor` null: the first page. Throws Problem. */
export async function filledPage(api: Pick<Api, "tasks">, filter: RunFilter, cursor: string | null, wanted: () => boolean): Promise<TaskPage> {
  const load = (from: string | undefined): Promise<TaskPage> => api.tasks(taskFilterOf(filter), cursor === null ? FIRST_PAGE : OLDER_PAGE, from);
  let page = await load(cursor ?? undefined);
  while (!page.tasks.length && page.next !== null && wanted()) page = await load(page.next);
  return page;
}
