import type { ComponentChildren } from "preact";
import type { Phase, Severity, Status } from "../client/types";

export type State = "run" | "ok" | "fail" | "wait" | "off";

const TASK: Record<Status, [State, string]> = {
  PENDING: ["off", "queued"],
  WAITING: ["wait", "waiting for approval"],
  STARTED: ["run", "running"],
  RETRY: ["wait", "retrying"],
  SUCCESS: ["ok", "succeeded"],
  FAILURE: ["fail", "failed"],
  REVOKED: ["off", "cancelled"],
};

const circle = <circle cx="8" cy="8" r="5.75" fill="none" stroke="currentColor" stroke-width="1.5" />;

/** One shape a state, so that none is told by colour alone. */
const SHAPE: Record<string, ComponentChildren> = {
  queued: circle,
  running: [circle, <path d="M8 2.25a5.75 5.75 0 0 1 0 11.5z" fill="currentColor" />],
  "waiting for approval": <path d="M5 3h2v10H5zM9 3h2v10H9z" fill="currentColor" />,
  retrying: (
    <path d="M12.5 5.5A5.25 5.25 0 1 0 13.25 8M13 2.5v3.25H9.75" fill="none" stroke="currentColor" stroke-width="1.5" />
  ),
  succeeded: <path d="m3 8.5 3.5 3.5L13 4.5" fill="none" stroke="currentColor" stroke-width="2" />,
  failed: <path d="m4 4 8 8m0-8-8 8" fill="none" stroke="currentColor" stroke-width="2" />,
  information: [circle, <path d="M8 7.25v3.5M8 4.75v1" stroke="currentColor" stroke-width="1.5" />],
  warning: (
    <path d="M8 2.5 14 13.25H2zM8 6.5v3M8 10.75v1" fill="none" stroke="currentColor" stroke-width="1.5" />
  ),
  cancelled: [circle, <path d="m4 12 8-8" stroke="currentColor" stroke-width="1.5" />],
};

function Mark({ state, name }: { state: State; name: string }) {
  return (
    <svg class={`mark s-${state}`} viewBox="0 0 16 16" role="img" aria-label={name}>
      {SHAPE[name]}
    </svg>
  );
}

export const stateWord = (status: Status): string => TASK[status]?.[1] ?? String(status).toLowerCase();

export const stateOf = (status: Status): State => TASK[status]?.[0] ?? "off";

export const TaskMark = ({ status }: { status: Status }) => <Mark state={stateOf(status)} name={stateWord(status)} />;

export function PhaseMark({ status, halted }: { status: Phase["status"]; halted: boolean }) {
  if (status === "completed") return <Mark state="ok" name="succeeded" />;
  if (status === "error") return <Mark state="fail" name="failed" />;
  return halted ? <Mark state="off" name="cancelled" /> : <Mark state="run" name="running" />;
}

const SEVERITY: Record<Severity, [State, string]> = {
  info: ["off", "information"],
  success: ["ok", "succeeded"],
  warning: ["wait", "warning"],
  error: ["fail", "failed"],
};

export function SeverityMark({ severity }: { severity: Severity }) {
  const [state, name] = SEVERITY[severity] ?? SEVERITY.info;
  return <Mark state={state} name={name} />;
}

/** Progress in percent; drawn by scaling, which moves nothing else on the page. */
export function Bar({ value, state, label }: { value: number; state: State; label: string }) {
  return (
    <div class={`bar s-${state}`} role="progressbar" aria-label={label} aria-valuenow={value}>
      <div style={{ transform: `scaleX(${value / 100})` }} />
    </div>
  );
}
