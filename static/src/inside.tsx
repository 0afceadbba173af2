import { useEffect, useRef } from "preact/hooks";
import type { User } from "./client/types";
import { loadOthers, pageOf, PALETTE } from "./pages";
import { address } from "./state/address";
import { connection, link } from "./state/app";
import { startNotifications } from "./state/bell";
import { announceLink } from "./state/link-words";
import { PLACES } from "./state/places";
import { watchPulse } from "./state/pulse";
import { remember } from "./state/recent";
import { routeOf } from "./state/routes";
import { currentUser } from "./state/session";
import { pathOf } from "./state/url";
import { ErrorBoundary } from "./views/error-boundary";
import { LazyPage } from "./views/lazy-page";
import { NotFound } from "./views/not-found";
import { focusContent } from "./views/shell";
import { PaletteHost } from "./views/palette-host";
import { Shortcuts } from "./views/shortcuts";
import { Toasts } from "./views/toasts";

announceLink(link);

/** Ends the wait of a connection that was signed out. */
export const reconnect = (): void => connection.retryNow();

/** Runs are remembered by their own page, which knows their titles. */
function rememberPage(userId: string | null, path: string): void {
  const route = routeOf(path);
  const place = PLACES.find(({ to }) => to === path);
  if (userId === null) return;
  if (place) remember(userId, { to: path, name: place.name, about: "page" });
  else if (route?.name === "job") remember(userId, { to: path, name: route.id, about: "job" });
}

/** The page of the address, with what is on every page of a signed-in user. */
export function Inside({ user }: { user: User }) {
  // Null while the page of a session that has ended stays under the form that begins another.
  const userId = currentUser.value?.id ?? null;
  useEffect(() => (userId === null ? undefined : startNotifications(connection, userId)), [userId]);
  useEffect(() => (userId === null ? undefined : watchPulse()), [userId]);
  useEffect(loadOthers, []);
  const path = pathOf(address.value);
  const page = pageOf(path);
  const ready = page === null || page.value.value !== null;
  useEffect(() => rememberPage(userId === null ? null : String(userId), path), [userId, path]);
  const before = useRef(path);
  useEffect(() => {
    // After the code of the page, whose first painting they would delay on a slow network.
    if (ready) void import("./views/fonts");
  }, [ready]);
  useEffect(() => {
    if (!ready) return;
    // The link that was followed is gone, and the focus with it.
    if (before.current !== path && !document.activeElement?.closest("main")) focusContent();
    before.current = path;
  }, [path, ready]);
  return (
    <>
      <ErrorBoundary key={path}>
        {page ? <LazyPage page={page} user={user} id={routeOf(path)?.id ?? ""} /> : <NotFound />}
      </ErrorBoundary>
      <Toasts />
      <Shortcuts />
      <PaletteHost user={user} code={PALETTE} />
    </>
  );
}
