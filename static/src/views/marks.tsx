import type { Severity, Status } from "../client/types";
import { PHASE, SHAPES, stateOf, stateWord, type State } from "../state/marks";
import type { Standing } from "../state/phases";

export { stateOf, stateWord, type State };

function Mark({ state, shape, name = shape }: { state: State; shape: string; name?: string }) {
  return (
    <svg class={`mark s-${state}`} viewBox="0 0 16 16" role="img" aria-label={name}>
      {SHAPES[shape]?.map(({ d, width }) =>
        width ? (
          <path key={d} d={d} fill="none" stroke="currentColor" stroke-width={width} />
        ) : (
          <path key={d} d={d} fill="currentColor" />
        ),
      )}
    </svg>
  );
}

export const TaskMark = ({ status }: { status: Status }) => <Mark state={stateOf(status)} shape={stateWord(status)} />;

export const PhaseMark = ({ standing }: { standing: Standing }) => (
  <Mark state={PHASE[standing][0]} shape={PHASE[standing][1]} name={standing} />
);

const SEVERITY: Record<Severity, [State, string]> = {
  info: ["off", "information"],
  success: ["ok", "succeeded"],
  warning: ["wait", "warning"],
  error: ["fail", "failed"],
};

export function SeverityMark({ severity }: { severity: Severity }) {
  const [state, shape] = SEVERITY[severity] ?? SEVERITY.info;
  return <Mark state={state} shape={shape} />;
}

/** The percentage beside a bar: nothing where it is not known. */
export const percentage = (value: number | null): string => (value === null ? "" : `${value} %`);

/** Progress in percent, or null where it is not known; drawn by scaling, which moves nothing else on the page. */
export function Bar({ value, state, label }: { value: number | null; state: State; label: string }) {
  if (value === null) {
    return (
      <div class={`bar unknown s-${state}`} role="progressbar" aria-label={label}>
        <div />
      </div>
    );
  }
  return (
    <div class={`bar s-${state}`} role="progressbar" aria-label={label} aria-valuenow={value}>
      <div style={{ transform: `scaleX(${value / 100})` }} />
    </div>
  );
}
