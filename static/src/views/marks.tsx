import type { Severity, Status } from "../client/types";
import { PHASE, SHAPES, statusWord, toneOf, type Tone } from "../state/marks";
import type { PhaseState } from "../state/phases";

function Mark({ tone, shape, name = shape }: { tone: Tone; shape: string; name?: string }) {
  return (
    <svg class={`mark s-${tone}`} viewBox="0 0 16 16" role="img" aria-label={name}>
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

/** `word`: that of the task, where it is another than that of its status. */
export const TaskMark = ({ status, word = statusWord(status) }: { status: Status; word?: string }) => (
  <Mark tone={toneOf(status, word)} shape={SHAPES[word] ? word : statusWord(status)} name={word} />
);

export const PhaseMark = ({ state }: { state: PhaseState }) => (
  <Mark tone={PHASE[state][0]} shape={PHASE[state][1]} name={state} />
);

/** The state of what is no run: of a worker, or of a queue. */
export const StandingMark = ({ tone, shape }: { tone: Tone; shape: string }) => <Mark tone={tone} shape={shape} name={WORDS[tone]} />;

const WORDS: Record<Tone, string> = { run: "at work", ok: "fine", fail: "needs a look", wait: "held", off: "quiet" };

const SEVERITY: Record<Severity, [Tone, string]> = {
  info: ["off", "information"],
  success: ["ok", "succeeded"],
  warning: ["wait", "warning"],
  error: ["fail", "failed"],
};

export function SeverityMark({ severity }: { severity: Severity }) {
  const [tone, shape] = SEVERITY[severity] ?? SEVERITY.info;
  return <Mark tone={tone} shape={shape} />;
}
