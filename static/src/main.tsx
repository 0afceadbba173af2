import { render } from "preact";
import type { User } from "./client/types";
import { address, session } from "./state/app";
import { Gate } from "./views/gate";
import { Link, Shell } from "./views/parts";
import { RunPage } from "./views/run";
import { RunsPage } from "./views/runs";

function page(user: User) {
  const { pathname } = new URL(address.value, location.origin);
  const taskId = /^\/runs\/([\w-]+)\/?$/.exec(pathname)?.[1];
  if (taskId) return <RunPage key={taskId} taskId={taskId} />;
  if (pathname === "/") return <RunsPage user={user} />;
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
render(<Gate page={page} />, root);
void session.restore();
