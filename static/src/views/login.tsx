import { useEffect, useState } from "preact/hooks";
import { Problem } from "../client/http";
import { session } from "../state/app";
import { Trouble } from "./trouble";

/** The page goes on to where one was by itself, as soon as the session is there. */
export function Login() {
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    document.title = "Sign in · Taskroom";
  }, []);

  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    setBusy(true);
    setProblem(null);
    try {
      await session.login(String(data.get("email")), String(data.get("password")));
    } catch (error) {
      setProblem(Problem.of(error));
      setBusy(false);
    }
  };

  const field = (name: string) => problem?.errors[name]?.map((text) => <p class="wrong">{text}</p>);
  const shown = problem && (problem.errors.email || problem.errors.password);
  return (
    <main class="sign-in">
      <form onSubmit={(event) => void submit(event)}>
        <h1>Taskroom</h1>
        <label>
          Email
          <input name="email" type="email" autocomplete="username" required autofocus />
          {field("email")}
        </label>
        <label>
          Password
          <input name="password" type="password" autocomplete="current-password" required />
          {field("password")}
        </label>
        {problem && !shown && <Trouble problem={problem} />}
        <button class="primary" disabled={busy}>
          Sign in
        </button>
      </form>
    </main>
  );
}
