import { useRef, useState } from "preact/hooks";
import { Problem } from "../client/problem";
import { api, mayAct } from "../state/app";
import type { Question } from "../state/notification-approval";
import "../style/inbox-ask.css";
import { Approve } from "./approve";
import { ProblemMessage } from "./problem-message";
import { Reason } from "./reason";
import { useCall } from "./use-call";

const RISKY = ["high", "critical"];

/** The buttons in the bell that decide what a run waits for. */
export function InboxApproval({ question, seen }: { question: Question; seen: () => Promise<void> }) {
  const call = useCall();
  const [over, setOver] = useState<string | null>(null);
  const [rejecting, reject] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  if (!mayAct.value) return null;
  if (over) return <p role="status">{over}</p>;
  const decide = async (approved: boolean, reason?: string): Promise<void> => {
    // First, for the entry that comes in its place is read then too: the user knows what it says.
    await seen();
    try {
      await api.decide(question.taskId, approved, reason);
      setOver(approved ? "Approved." : "Rejected.");
    } catch (error) {
      const { status } = Problem.of(error);
      // Somebody else was first, or the run has ended or is gone.
      if (status !== 409 && status !== 404) throw error;
      setOver("It waits for nothing any more.");
    }
  };
  const back = (): void => {
    reject(false);
    button.current?.focus();
  };
  return (
    <div class="inbox-ask" aria-label={`Decide: ${question.title}`} role="group">
      {RISKY.includes(question.risk) && <strong class="risk s-fail">risk {question.risk}</strong>}
      <Approve risk={question.risk} disabled={call.busy} run={() => call.run(() => decide(true))} />
      <button type="button" ref={button} disabled={call.busy} aria-expanded={rejecting} onClick={() => reject(!rejecting)}>
        Reject…
      </button>
      {rejecting && <Reason send={(reason) => call.run(() => decide(false, reason))} back={back} />}
      {call.problem && <ProblemMessage problem={call.problem} />}
    </div>
  );
}
