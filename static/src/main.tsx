import { render } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { User } from "./client/types";
import { loadPages, pageOf } from "./pages";
import { address } from "./state/address";
import { connection, currentUser, link, session } from "./state/app";
import { startNotifications } from "./state/bell";
import { listenToKeys } from "./state/keys";
import { announceLink } from "./state/link-words";
import { watchPulse } from "./state/pulse";
import { routeOf } from "./state/routes";
import { shareVisibility } from "./state/tabs";
import "./state/theme";
import { pathOf } from "./state/url";
import { Announcer } from "./views/announcer";
import { ErrorBoundary } from "./views/error-boundary";
import { Gate } from "./views/gate";
import { LazyPage } from "./views/lazy-page";
import { NotFound } from "./views/not-found";
import { focusContent } from "./views/shell";
import { Shortcuts } from "./views/shortcuts";
import { Toasts } from "./views/toasts";

function App() {
  const userId = currentUser.value?.id ?? null;
  useEffect(() => (userId === null ? undefined : startNotifications(connection, userId)), [userId]);
  useEffect(() => (userId === null ? undefined : watchPulse()), [userId]);
  const path = pathOf(address.value);
  const page = pageOf(path);
  const ready = page === null || page.value.value !== null;
  const before = useRef(path);
  useEffect(() => {
    if (!ready) return;
    // The link that was followed is gone, and the focus with it.
    if (before.current !== path && !document.activeElement?.closest("main")) focusContent();
    before.current = path;
  }, [path, ready]);
  return (
    <>
      <Gate page={pageFor} />
      <Toasts />
      <Shortcuts />
      <Announcer />
    </>
  );
}

function pageFor(user: User) {
  const path = pathOf(address.value);
  const page = pageOf(path);
  return (
    <ErrorBoundary key={path}>
      {page ? <LazyPage page={page} user={user} id={routeOf(path)?.id ?? ""} /> : <NotFound />}
    </ErrorBoundary>
  );
}

const root = document.getElementById("app");
if (!root) throw new Error("index.html has no #app");
announceLink(link);
listenToKeys();
shareVisibility();
void loadPages(address.value);
render(<App />, root);
void session.restore();
