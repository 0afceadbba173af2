import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { User } from "../client/types";
import { address, go, hash } from "../state/address";
import { loginAddress, routeOf, safeNext } from "../state/routes";
import { currentUser, signedIn } from "../state/session";
import { paramsOf } from "../state/url";
import { Frame } from "./frame";
import { Login, SignInAgain } from "./login";
import { ProblemMessage } from "./problem-message";

interface Props {
  page: (user: User) => ComponentChildren;
  /** The user of a page whose session had ended is signed in again. */
  back: () => void;
}

/** Shows pages to a signed-in user only. When the session ends by itself, its page stays under a form that begins another. */
export function Gate({ page, back }: Props) {
  const state = signedIn.value;
  const atLogin = routeOf(address.value)?.name === "login";
  const user = currentUser.value;
  const shown = useRef<User | null>(null);
  const ended = state.kind === "out" && !state.left && !atLogin ? shown.current : null;

  useEffect(() => {
    if (user) {
      // The page has the data of the user before.
      if (shown.current && shown.current.id !== user.id) return location.reload();
      if (shown.current) back();
      shown.current = user;
      if (atLogin) go(safeNext(paramsOf(address.value).get("next")), true);
    } else if (state.kind === "out" && !ended) {
      shown.current = null;
      if (!atLogin) go(loginAddress(address.value + (hash.value && `#${hash.value}`)), true);
    }
  }, [state.kind, user?.id, atLogin, !ended]);

  if (state.kind === "starting") {
    return (
      <Frame>
        <main class="page late" aria-busy="true">
          {state.problem ? <ProblemMessage problem={state.problem}> Trying again.</ProblemMessage> : "Signing in."}
        </main>
      </Frame>
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
