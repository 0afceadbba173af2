import { render } from "preact";
import { useEffect, useRef } from "preact/hooks";
import "./state/theme";
import { address, connection, go, link, safeNext, session, signedIn } from "./state/app";
import { ring } from "./state/bell";
import { listenToKeys } from "./state/keys";
import { announceLink } from "./state/link";
import { tellWhenSeen } from "./state/tabs";
import { Announcer } from "./views/announcer";
import { Boundary } from "./views/boundary";
import { Login } from "./views/login";
import { Link, Shell } from "./views/parts";
import { RunPage } from "./views/run";
import { RunsPage } from "./views/runs";
import { focusContent } from "./views/shell";
import { Shortcuts } from "./views/shortcuts";
import { Toasts } from "./views/toasts";
import { Trouble } from "./views/trouble";

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
      <Boundary key={pathname}>
        <Page pathname={pathname} />
      </Boundary>
      <Toasts />
      <Shortcuts />
      <Announcer />
    </>
  );
}

function Page({ pathname }: { pathname: string }) {
  const state = signedIn.value;
  const atLogin = pathname === "/login";
  useEffect(() => {
    if (state.kind === "out" && !atLogin) go(`/login?next=${encodeURIComponent(address.value + location.hash)}`, true);
    if (state.kind === "in" && atLogin) go(safeNext(new URLSearchParams(location.search).get("next")), true);
  }, [state.kind, atLogin]);

  if (state.kind === "starting") {
    return (
      <Shell>
        <main class="page late">
          {state.problem ? <Trouble problem={state.problem}> Trying again.</Trouble> : "Signing in."}
        </main>
      </Shell>
    );
  }
  if (state.kind === "out") return <Login />;
  if (atLogin) return null;
  const taskId = /^\/runs\/([\w-]+)\/?$/.exec(pathname)?.[1];
  if (taskId) return <RunPage key={taskId} taskId={taskId} />;
  if (pathname === "/") return <RunsPage />;
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
