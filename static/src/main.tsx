import { render } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { User } from "./client/types";
import "./state/theme";
import { address, connection, link, session, signedIn } from "./state/app";
import { ring } from "./state/bell";
import { listenToKeys } from "./state/keys";
import { announceLink } from "./state/link-label";
import { tellWhenSeen } from "./state/tabs";
import { Announcer } from "./views/announcer";
import { Boundary } from "./views/error-boundary";
import { Gate } from "./views/gate";
import { Link, Shell } from "./views/parts";
import { RunPage } from "./views/run-page";
import { RunsPage } from "./views/runs-page";
import { focusContent } from "./views/shell";
import { Shortcuts } from "./views/shortcuts";
import { Toasts } from "./views/toasts";

function App() {
  const state = signedIn.value;
  const userId = state.kind === "in" ? state.user.id : null;
  useEffect(() => (userId === null ? undefined : ring(connection, userId)), [userId]);
  const { pathname } = new URL(address.value, location.origin);
  const before = useRef(pathname);
  useEffect(() => {
    // The link that was followed goes; without this the keyboard would begin anew at the top.
    if (before.current !== pathname && !document.activeElement?.closest("main")) focusContent();
    before.current = pathname;
  }, [pathname]);
  return (
    <>
      <Gate page={bounded} />
      <Toasts />
      <Shortcuts />
      <Announcer />
    </>
  );
}

function bounded(user: User) {
  const { pathname } = new URL(address.value, location.origin);
  return <Boundary key={pathname}>{page(user, pathname)}</Boundary>;
}

function page(user: User, pathname: string) {
  const taskId = /^\/runs\/([\w-]+)\/?$/.exec(pathname)?.[1];
  if (taskId) return <RunPage key={taskId} taskId={taskId} />;
  if (pathname === "/") return <RunsPage user={user} />;
  return (
    <Shell>
      <main class="page">
        <h1>There is no such page</h1>
        <p>
          <Link to="/">All runs</Link>
        </p>
      </main>
    </Shell>
  );
}

const root = document.getElementById("app");
if (!root) throw new Error("index.html has no #app");
announceLink(link);
listenToKeys();
tellWhenSeen();
render(<App />, root);
void session.restore();
