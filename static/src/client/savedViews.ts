import type { Access } from "./access";

/** Filters of the list by name; `filters` are the parameters of its address. */
export interface ViewBody {
  name: string;
  filters: Record<string, string>;
  /** With the tenant of its owner. */
  shared: boolean;
}

export interface SavedView extends ViewBody {
  id: string;
  /** The e-mail address of its account. */
  owner: string;
  mine: boolean;
  may_change: boolean;
  created_at: string;
}

const PATH = "/api/v2/views";
/** A tenant may share more than a menu can show. */
const MOST_PAGES = 5;

/** Returns the user's views and those of its tenant, the newest first. Throws Problem. */
export async function savedViews(access: Access): Promise<SavedView[]> {
  const found: SavedView[] = [];
  let cursor: string | null = "";
  for (let page = 0; page < MOST_PAGES && cursor !== null; page++) {
    const query: string = cursor && `&cursor=${encodeURIComponent(cursor)}`;
    const answer = await access.call<{ views: SavedView[]; next: string | null }>("GET", `${PATH}?limit=200${query}`);
    found.push(...answer.views);
    cursor = answer.next;
  }
  return found;
}

export const saveView = (access: Access, body: ViewBody): Promise<SavedView> => access.call("POST", PATH, body);

export const changeView = (access: Access, id: string, body: ViewBody): Promise<SavedView> =>
  access.call("PUT", `${PATH}/${encodeURIComponent(id)}`, body);

export const removeView = (access: Access, id: string): Promise<void> => access.call("DELETE", `${PATH}/${encodeURIComponent(id)}`);
