import { signal } from "@preact/signals";
import { Api } from "../client/api";
import { PageConnection } from "../client/connection";
import { Session, type SessionState } from "../client/session";
import type { Connection, Link } from "../client/watch";

/** The one session of the page, what it may call, and where the page is. */
export const session = new Session();
export const api = new Api(session);
export const signedIn = signal<SessionState>(session.state);
session.listen(() => (signedIn.value = session.state));

/** Everything that is live on the page comes by this one connection; `link` is how it stands. */
export const connection: Connection = new PageConnection(session);
export const link = signal<Link>(connection.link);
connection.listen(() => (link.value = connection.link));

const here = (): string => location.pathname + location.search;
export const address = signal(here());
addEventListener("popstate", () => (address.value = here()));

export function go(to: string, replace = false): void {
  history[replace ? "replaceState" : "pushState"](null, "", to);
  address.value = here();
}

/** Where to go after signing in. Only paths of this origin: a crafted link must not lead elsewhere. */
export function safeNext(next: string | null): string {
  if (!next) return "/";
  const url = URL.canParse(next, location.origin) ? new URL(next, location.origin) : null;
  if (!url || url.origin !== location.origin || url.pathname === "/login") return "/";
  // What is a path after the host is another host when it is used as an address itself.
  if (url.pathname.startsWith("//")) return "/";
  return url.pathname + url.search + url.hash;
}

/** Ticks once a second, for running times and countdowns. */
export const now = signal(Date.now());
setInterval(() => (now.value = Date.now()), 1_000);
