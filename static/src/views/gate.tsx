import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { User } from "../client/types";
import { address, connection, go, safeNext, signedIn } from "../state/app";
import { Login, SignInAgain } from "./login";
import { Shell } from "./parts";
import { Trouble } from "./problem-message";

/** Lets in who is signed in. When a session ends by itself its page stays under the form that begins another one. */
export function Gate({ page }: { page: (user: User) => ComponentChildren }) {
  const state = signedIn.value;
  const url = new URL(address.value, location.origin);
  const atLogin = url.pathname === "/login";
  const user = state.kind === "in" ? state.user : null;
  const shown = useRef<User | null>(null);
  const ended = state.kind === "out" && !state.left && !atLogin ? shown.current : null;

  useEffect(() => {
    if (user) {
      // What is on the page is the other one's.
      if (shown.current && shown.current.id !== user.id) return location.reload();
      if (shown.current) connection.retryNow();
      shown.current = user;
      if (atLogin) go(safeNext(url.searchParams.get("next")), true);
    } else if (state.kind === "out" && !ended) {
      shown.current = null;
      if (!atLogin) go(`/login?next=${encodeURIComponent(address.value + location.hash)}`, true);
    }
  }, [state.kind, user?.id, atLogin, !ended]);

  if (state.kind === "starting") {
    return (
      <Shell>
        <main class="page late">
          {state.problem ? <Trouble problem={state.problem}> Trying again.</Trouble> : "Signing in."}
        </main>
      </Shell>
    );
  }
  const whose = user ?? ended;
  if (!whose) return <Login />;
  if (atLogin) return null;
  return (
    <>
      {page(whose)}
      {ended && <SignInAgain email={ended.email} />}
    </>
  );
}
