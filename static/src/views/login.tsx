import { useEffect, useRef, useState } from "preact/hooks";
import { Problem } from "../client/problem";
import { go } from "../state/address";
import { now } from "../state/clock";
import { session } from "../state/session";
import { Dialog } from "./dialog";
import { RunPicture } from "./run-picture";
import { ProblemMessage } from "./problem-message";

/** The page for signing in. `Gate` leaves it when there is a session. */
export function Login() {
  useEffect(() => {
    document.title = "Sign in · Taskroom";
  }, []);
  return (
    <main class="arrival">
      <section>
        <h1>Taskroom</h1>
        <p class="what">Watch background tasks as they run: how far each one is, what it says, and why it failed.</p>
        <RunPicture />
      </section>
      <SignIn />
    </main>
  );
}

/** A dialog over a page whose session has ended, so that nothing on the page is lost. */
export function SignInAgain({ email }: { email: string }) {
  return (
    <Dialog label="Sign in again" class="sign-in">
      <h1>Sign in again</h1>
      <p class="hint">Your session has ended. This page goes on where it was.</p>
      <SignIn email={email} />
      <button type="button" class="plain" onClick={() => go("/login", true)}>
        Leave this page
      </button>
    </Dialog>
  );
}

function SignIn({ email = "" }: { email?: string }) {
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  const [until, setUntil] = useState(0);
  const password = useRef<HTMLInputElement>(null);
  const wait = Math.max(0, Math.ceil((until - now.value) / 1_000));

  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    setBusy(true);
    setProblem(null);
    try {
      await session.login(String(data.get("email")), String(data.get("password")));
    } catch (error) {
      const refused = Problem.of(error);
      setProblem(refused);
      setUntil(refused.status === 429 ? Date.now() + refused.retryAfter * 1_000 : 0);
      if (refused.status === 401) password.current?.select();
    }
    setBusy(false);
  };

  const field = (name: string) => problem?.errors[name]?.map((text) => <p class="wrong">{text}</p>);
  const shown = problem && (problem.errors.email || problem.errors.password);
  return (
    <form onSubmit={(event) => void submit(event)}>
      <label>
        Email
        <input
          name="email"
          type="email"
          autocomplete="username"
          autocapitalize="none"
          spellcheck={false}
          defaultValue={email}
          required
          autofocus={!email}
        />
        {field("email")}
      </label>
      <label>
        Password
        <input
          ref={password}
          name="password"
          type="password"
          autocomplete="current-password"
          required
          autofocus={Boolean(email)}
        />
        {field("password")}
      </label>
      {problem && !shown && <Refused problem={problem} wait={wait} />}
      <button class="primary" disabled={busy || wait > 0}>
        {busy ? "Signing in" : "Sign in"}
      </button>
    </form>
  );
}

function Refused({ problem, wait }: { problem: Problem; wait: number }) {
  if (problem.status === 401) return <ProblemMessage problem={new Problem(401, "Email or password is wrong")} />;
  if (problem.status === 429) {
    return (
      <ProblemMessage problem={new Problem(429, "Too many attempts")}>
        {" "}
        {/* The countdown is not read out each second. */}
        <span aria-live="off">{wait ? `Try again in ${wait} s.` : "Try again now."}</span>
      </ProblemMessage>
    );
  }
  if (problem.status === 0) return <ProblemMessage problem={problem}> Runs go on meanwhile. Try again in a moment.</ProblemMessage>;
  return <ProblemMessage problem={problem} />;
}
