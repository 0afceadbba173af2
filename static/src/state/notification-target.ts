import type { Notification } from "../client/types";

/** Where a notification leads: a path of this dashboard, another address, or nowhere. Nothing but http(s): a click must
 * not run a script. */
export function placeOf(notification: Notification): { to: string; here: boolean } | null {
  const { action_url, related_type, related_id } = notification;
  if (action_url && URL.canParse(action_url, location.origin)) {
    const url = new URL(action_url, location.origin);
    const own = url.origin === location.origin;
    // What looks like a path and leads to another host was made to deceive.
    if (action_url.startsWith("/") && !own) return null;
    if (!/^https?:$/.test(url.protocol)) return null;
    if (!own) return { to: url.href, here: false };
    // As an address of its own it would be another host.
    if (url.pathname.startsWith("//")) return null;
    const to = url.pathname + url.search + url.hash;
    return { to, here: url.pathname === "/" || url.pathname.startsWith("/runs/") };
  }
  if (related_type === "task" && related_id) return { to: `/runs/${encodeURIComponent(related_id)}`, here: true };
  return null;
}

/** Whether it is about what is being looked at. */
export function isInSight(notification: Notification): boolean {
  const place = placeOf(notification);
  return !document.hidden && place !== null && new URL(place.to, location.origin).pathname === location.pathname;
}
