import type { Notification } from "../client/types";
import { routeOf, runAddress } from "./routes";
import { ownPath } from "./url";

interface NotificationTarget {
  to: string;
  /** Whether `to` is a page of this dashboard. */
  here: boolean;
}

/** Returns where a notification leads: to a page of this dashboard, to another address, or nowhere. */
export function targetOf({ action_url, related_type, related_id }: Notification): NotificationTarget | null {
  if (action_url && URL.canParse(action_url, location.origin)) return targetOfUrl(action_url);
  return related_type === "task" && related_id ? { to: runAddress(related_id), here: true } : null;
}

function targetOfUrl(url: string): NotificationTarget | null {
  const path = ownPath(url);
  if (path) {
    const route = routeOf(path);
    return { to: path, here: route !== null && route.name !== "login" };
  }
  const { protocol, origin, href } = new URL(url, location.origin);
  // What looks like a path and leads to another host was made to deceive; other protocols could run a script.
  const deceives = url.startsWith("/") || origin === location.origin;
  return deceives || !/^https?:$/.test(protocol) ? null : { to: href, here: false };
}

/** Whether the notification is about the page that the user looks at. */
export function isInSight(notification: Notification): boolean {
  const target = targetOf(notification);
  return !document.hidden && target !== null && new URL(target.to, location.origin).pathname === location.pathname;
}
