import { render } from "preact";
import { keepDigits } from "./client/json";
import { pageOf } from "./pages";
import { address } from "./state/address";
import { listenToKeys } from "./state/keys";
import { Lazy } from "./state/lazy";
import { routeOf } from "./state/routes";
import { session } from "./state/session";
import { shareVisibility } from "./state/tabs";
import "./state/theme";
import { Announcer } from "./views/announcer";
import { Gate } from "./views/gate";
import { LazyInside } from "./views/lazy-inside";

/** All that only a signed-in user needs: the connection, the bell, the pages. Signing in loads none of it. */
const inside = new Lazy(async () => (await import("./inside")).Inside);

const App = () => (
  <>
    <Gate page={(user) => <LazyInside code={inside} user={user} />} back={() => void import("./inside").then(({ reconnect }) => reconnect())} />
    <Announcer />
  </>
);

const root = document.getElementById("app");
if (!root) throw new Error("index.html has no #app");
keepDigits();
listenToKeys();
shareVisibility();
// Beside the question who is signed in, not after it.
if (routeOf(address.value)?.name !== "login") void Promise.all([inside.load(), pageOf(address.value)?.load()]);
render(<App />, root);
void session.restore();
