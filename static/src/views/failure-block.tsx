import { useEffect } from "preact/hooks";
import type { TaskState } from "../client/types";
import { failureOf } from "../state/failure";
import { Lazy } from "../state/lazy";
import type { LoadLog } from "../state/log-source";
import type { LogView } from "../state/log-view";

const code = new Lazy(async () => (await import("./failure")).Failure);
/** A run that goes on may fail while the server is away: what it shows then is loaded before, but not first. */
const BEFORE_MS = 3_000;

export interface FailureProps {
  state: TaskState;
  /** Null above a tree, which shows no log: its lines are then links to the log. */
  view: LogView | null;
  load: LoadLog;
  /** Whether the address may name a line. */
  linked: boolean;
}

/** Why a run has failed, or was ended: above its log, before anything else. Nothing while it goes on. */
export function FailureBlock(props: FailureProps) {
  const failure = failureOf(props.state.task);
  const fails = failure !== null;
  useEffect(() => {
    if (fails) return void code.load();
    const timer = setTimeout(() => void code.load(), BEFORE_MS);
    return () => clearTimeout(timer);
  }, [fails]);
  const View = code.value.value;
  if (!failure) return null;
  return View ? <View {...props} /> : <p class="problem">{failure.sentence}</p>;
}
