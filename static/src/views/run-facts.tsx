import type { Below } from "../client/observed";
import { didNothing } from "../client/outcome";
import { plainText } from "../client/terminalText";
import { isTerminal, type TaskState } from "../client/types";
import { runningServerNow, tickingServerNow } from "../state/clock";
import { etaOf, isLonger, isUsual } from "../state/estimate";
import { count, percentText } from "../state/format";
import { taskTone, taskWord } from "../state/marks";
import { duration, elapsed, timer } from "../state/time";
import { StepsFact } from "./steps-fact";

/** Below so many seconds a run that is over is told to the tenth. */
const SHORT = 10;

interface Props {
  state: TaskState;
  below: Below | null;
  /** How many watch the run, where that is known. */
  viewers: number | null;
}

/** The state of a run in a few words: status, what became of it in its own words, what failed below it, what is usual, and how many watch it. */
export function Facts({ state, below, viewers }: Props) {
  const { task } = state;
  return (
    <span class="number facts">
      <strong class={`s-${taskTone(task)}`}>{didNothing(task) ? task.current_phase_message : taskWord(task)}</strong>
      {task.status === "SUCCESS" && !didNothing(task) && task.current_phase_message && (
        <>
          {" · "}
          <bdi>{plainText(task.current_phase_message)}</bdi>
        </>
      )}
      <StepsFact state={state} below={below} />
      {isLonger(state, tickingServerNow()) && " · longer than usual"}
      {isUsual(task.usual) && ` · usually ${duration(task.usual.seconds)} (p95 ${duration(task.usual.p95_seconds)})`}
      {task.retry_count > 0 && ` · retry ${task.retry_count}`}
      {viewers !== null && viewers > 1 && ` · ${count(viewers)} watching`}
    </span>
  );
}

/** How far the run is, how long it has taken, and how long it will: "31 %  0:06  about 0:17". */
export function Figures({ state, value }: { state: TaskState; value: number | null }) {
  const { task } = state;
  const over = isTerminal(task.status);
  const now = over ? 0 : runningServerNow();
  const seconds = elapsed(task.started_at, task.finished_at, now);
  const eta = etaOf(state, now);
  const percent = task.status === "SUCCESS" || !task.started_at ? "" : percentText(value);
  return (
    <p class="number figures">
      {percent && <Figure name="progress" class="pct" text={percent} />}
      {seconds !== null && (
        <Figure name={over ? "took" : "elapsed"} class="took" text={over && seconds < SHORT ? duration(seconds) : timer(seconds)} />
      )}
      {eta !== null && <Figure name="left" class="left" text={`about ${timer(eta)}`} />}
    </p>
  );
}

const Figure = ({ name, text, ...rest }: { name: string; text: string; class: string }) => (
  <span {...rest}>
    <span class="hidden-text">{name} </span>
    {text}{" "}
  </span>
);
