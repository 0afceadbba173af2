import { useEffect, useRef, useState } from "preact/hooks";
import type { Approval } from "../client/types";
import { api, mayAct } from "../state/app";
import { Approve } from "./approve";
import { CallProblem } from "./call-problem";
import { Reason } from "./reason";
import { useCall } from "./use-call";

const RISKY = ["high", "critical"];

/** What a step waits for, with the buttons that decide it in its row. */
export function TreeApproval({ taskId, approval }: { taskId: string; approval: Approval }) {
  const call = useCall();
  const [sent, setSent] = useState(false);
  const [rejecting, reject] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (call.problem) setSent(false);
  }, [call.problem]);
  const { title, risk_level, estimated_cost } = approval;
  const decide = (approved: boolean, reason?: string): void => {
    setSent(true);
    call.run(() => api.decide(taskId, approved, reason));
  };
  const back = (): void => {
    reject(false);
    button.current?.focus();
  };
  const done = sent || call.busy;
  return (
    <section class="ask" aria-label={`Approval needed: ${title}`}>
      <p>
        <strong>{title}</strong> <span class={RISKY.includes(risk_level) ? "risk s-fail" : "risk"}>risk {risk_level}</span>{" "}
        {estimated_cost > 0 && <span class="number">estimated cost {estimated_cost.toLocaleString("en", { minimumFractionDigits: 2 })}</span>}
        {!mayAct.value && <em> Somebody who may act has to decide.</em>}
      </p>
      {mayAct.value && (
        <div class="ask-buttons">
          <Approve risk={risk_level} disabled={done} run={() => decide(true)} />
          <button type="button" ref={button} disabled={done} aria-expanded={rejecting} onClick={() => reject(!rejecting)}>
            Reject…
          </button>
        </div>
      )}
      {rejecting && !done && <Reason send={(reason) => decide(false, reason)} back={back} />}
      {call.problem && <CallProblem taskId={taskId} problem={call.problem} />}
    </section>
  );
}
