import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { Problem } from "../client/http";
import { connection, go, link, now, session, signedIn } from "../state/app";
import { Trouble } from "./trouble";

/** A link within the dashboard. Modified clicks stay the browser's. */
export function Link({ to, children, ...rest }: { to: string; class?: string; children: ComponentChildren }) {
  const follow = (event: MouseEvent): void => {
    if (event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    go(to);
  };
  return (
    <a href={to} onClick={follow} {...rest}>
      {children}
    </a>
  );
}

/** A button for a call to the server: off while it runs, its error beside it. */
export function Action(props: { name: string; class?: string; run: () => Promise<unknown> }) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const click = async (): Promise<void> => {
    setBusy(true);
    setProblem(null);
    try {
      await props.run();
    } catch (error) {
      setProblem(Problem.of(error));
    }
    setBusy(false);
  };
  return (
    <>
      {problem && <Trouble problem={problem} />}
      <button type="button" class={props.class} disabled={busy} onClick={() => void click()}>
        {props.name}
      </button>
    </>
  );
}

function LinkState() {
  const state = link.value;
  const [kind, word] = describe(state, now.value);
  return (
    <span class={`link ${kind}`} role="status">
      <i class="dot" aria-hidden="true" />
      {word}
      {state.kind === "reconnecting" && (
        <button type="button" class="plain" onClick={() => connection.retryNow()}>
          now
        </button>
      )}
    </span>
  );
}

function describe(state: typeof link.value, at: number): ["good" | "busy" | "bad" | "rest", string] {
  switch (state.kind) {
    case "live":
      return ["good", "live"];
    case "polling":
      return ["rest", `polling every ${state.seconds} s`];
    case "connecting":
      return ["busy", "connecting"];
    case "reconnecting":
      return ["bad", `reconnecting in ${Math.max(0, Math.ceil((state.until - at) / 1_000))} s`];
    case "signed out":
      return ["bad", "signed out"];
  }
}

/** The frame of every page: one line on top, the connection always in the same place. */
export function Shell({ children }: { children: ComponentChildren }) {
  const user = signedIn.value.kind === "in" ? signedIn.value.user : null;
  return (
    <>
      <header class="top">
        <Link to="/" class="brand">
          Taskroom
        </Link>
        {user && <LinkState />}
        {user && <span class="who">{user.email}</span>}
        {user && <Action name="Sign out" class="plain" run={() => session.logout()} />}
      </header>
      {children}
    </>
  );
}
