import { PHASE } from "../state/marks";
import { stepsOfErrors, wordsOf, type Segment } from "../state/phase-bar";
import "../style/phase-bar.css";

interface Props {
  segments: readonly Segment[];
  /** Whole percent of the run; null where it is not known. */
  value: number | null;
  label: string;
  /** A click on a phase that has begun. The table of phases does the same for the keyboard. */
  choose?: (phaseId: string) => void;
}

/** The bar of a run: a segment a phase, as wide as its expected share, in the colour and the pattern of its state. */
export function PhaseBar({ segments, value, label, choose }: Props) {
  return (
    <div
      class={value === null ? "phase-bar unknown" : "phase-bar"}
      role="progressbar"
      aria-label={label}
      aria-valuenow={value ?? undefined}
      aria-valuetext={wordsOf(segments, value)}
    >
      {segments.map((segment) => (
        <Part key={segment.phase_id} segment={segment} {...(choose && segment.phase_id ? { choose } : {})} />
      ))}
    </div>
  );
}

/** The bar as a picture, which says nothing of a run. */
export const BarPicture = ({ segments }: { segments: readonly Segment[] }) => (
  <div class="phase-bar picture" aria-hidden="true">
    {segments.map((segment) => (
      <Part key={segment.phase_id} segment={segment} />
    ))}
  </div>
);

function Part({ segment, choose }: { segment: Segment; choose?: (phaseId: string) => void }) {
  const { phase_id, state, share, done, errors } = segment;
  const reached = state !== "not begun" && state !== "not reached";
  const open = choose && reached ? { onClick: () => choose(phase_id), "data-opens": "" } : {};
  const kind = state.replace(" ", "-");
  return (
    <i
      class={`segment ${kind} s-${PHASE[state][0]}${done === null ? " vague" : ""}`}
      style={{ flexGrow: share, "--done": `${100 * (done ?? 1)}%` }}
      title={choose ? `${phase_id}: ${state}` : undefined}
      {...open}
    >
      <b>
        <b />
      </b>
      {errors > 0 && <u style={{ width: `${4 * stepsOfErrors(errors)}px` }} />}
    </i>
  );
}
