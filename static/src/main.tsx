import { render } from "preact";
import { useEffect } from "preact/hooks";
import { address, go, safeNext, session, signedIn } from "./state/app";
import { Login } from "./views/login";
import { Link, Shell } from "./views/parts";
import { RunPage } from "./views/run";
import { RunsPage } from "./views/runs";
import { Trouble } from "./views/trouble";

function App() {
  const state = signedIn.value;
  const url = new URL(address.value, location.origin);
  const atLogin = url.pathname === "/login";
  useEffect(() => {
    if (state.kind === "out" && !atLogin) go(`/login?next=${encodeURIComponent(address.value + location.hash)}`, true);
    if (state.kind === "in" && atLogin) go(safeNext(url.searchParams.get("next")), true);
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
  const taskId = /^\/runs\/([\w-]+)\/?$/.exec(url.pathname)?.[1];
  if (taskId) return <RunPage key={taskId} taskId={taskId} />;
  if (url.pathname === "/") return <RunsPage />;
  return (
    <Shell>
      <main class="page">
        There is no such page. <Link to="/">All runs</Link>
      </main>
    </Shell>
  );
}

const root = document.getElementById("app");
if (!root) throw new Error("index.html has no #app");
render(<App />, root);
void session.restore();
