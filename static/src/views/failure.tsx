import { useMemo, useState } from "preact/hooks";
import type { LogLine, SourceLines, Task } from "../client/types";
import { go as goTo } from "../state/address";
import { beforeTitle, failedIn, failureOf, linesBefore, type Failure as Reason, type LinesBefore } from "../state/failure";
import { levelOf } from "../state/levels";
import { plain } from "../state/log-text";
import { runAddress } from "../state/routes";
import { sourceLines } from "../state/source-lines";
import { place, ticket } from "../state/ticket";
import { clock } from "../state/time";
import "../style/failure.css";
import "../style/failure-lines.css";
import { Chevron } from "./chevron";
import { Copy } from "./copy";
import type { FailureProps } from "./failure-block";
import { goToLine } from "./log-address";
import { Traceback } from "./traceback";
import { useLoaded } from "./use-loaded";

/** Lines that are looked through for the one of the failure: others may have come after it. */
const LOOKED_THROUGH = 40;
/** In pixels: a lower window has no room for more than the sentence above its log. */
const LOW = 480;

/** Why a run has failed, or was ended: above its log, before anything else. Nothing while it goes on. */
export function Failure({ state, view, load, linked }: FailureProps) {
  const { task } = state;
  const [open, setOpen] = useState(() => innerHeight >= LOW);
  const ended = failureOf(task) ? task.status_sequence : null;
  const found = useLoaded(
    ended === null ? null : () => load({ before_sequence: ended, limit: LOOKED_THROUGH }),
    [load, ended],
  );
  const lines = useMemo(() => linesBefore(found?.logs ?? [], task), [found, task]);
  const failure = failureOf(task, found?.logs);
  if (!failure) return null;
  const phase = failedIn(state);
  const more = Boolean(task.error?.source || task.error?.traceback || lines.before.length);
  const go = (sequence: number): void =>
    view ? goToLine(view, sequence, linked) : goTo(`${runAddress(task.task_id)}#L${sequence}`);
  return (
    <section class={`failure s-${failure.tone}`} aria-label={task.status === "REVOKED" ? "Why it ended" : "Why it failed"}>
      <div class="failure-head">
        <div>
          <h2>{failure.sentence}</h2>
          <Facts task={task} failure={failure} phase={phase} />
        </div>
        <div class="failure-tools">
          {lines.line && (
            <button type="button" onClick={() => lines.line && go(lines.line.sequence)}>
              Go to line
            </button>
          )}
          <Copy text={() => ticket({ task, failure, phase, lines, link: addressOf(task, lines, linked) })}>Copy for a ticket</Copy>
          {more && (
            <button type="button" class="toggle" aria-label="Details of the failure" aria-expanded={open} onClick={() => setOpen(!open)}>
              <Chevron open={open} />
            </button>
          )}
        </div>
      </div>
      {open && more && <Details task={task} lines={lines} go={go} />}
    </section>
  );
}

/** The address of the run at the line of its failure; without the line where the page may not name one. */
const addressOf = ({ task_id }: Task, { line }: LinesBefore, linked: boolean): string =>
  location.origin + runAddress(task_id) + (linked && line ? `#L${line.sequence}` : "");

function Facts({ task, failure, phase }: { task: Task; failure: Reason; phase: string | null }) {
  const at = task.finished_at ?? task.updated_at;
  return (
    <p class="failure-facts number">
      {failure.type && <code>{failure.type}</code>}
      {task.error?.phase ? (
        <span>
          in the phase <strong>{phase}</strong>
        </span>
      ) : (
        phase && <span>{phase}</span>
      )}
      {task.retry_count > 0 && <span>attempt {task.retry_count + 1}</span>}
      {at && <time dateTime={at}>{clock(at).slice(0, 8)}</time>}
      {failure.hint && <span class="failure-hint">{failure.hint}</span>}
    </p>
  );
}

function Details({ task, lines, go }: { task: Task; lines: LinesBefore; go: (sequence: number) => void }) {
  const { source, traceback } = task.error ?? {};
  return (
    <div class="failure-body">
      {source && <Source source={source} />}
      {lines.before.length > 0 && <Before lines={lines.before} go={go} />}
      {traceback && (
        <details class="failure-traceback" open={!source}>
          <summary>Traceback</summary>
          <div>
            <Traceback text={traceback} />
          </div>
        </details>
      )}
    </div>
  );
}

function Source({ source }: { source: SourceLines }) {
  const lines = sourceLines(source);
  return (
    <figure class="source">
      <figcaption title={source.file}>{place(source)}</figcaption>
      <ol tabIndex={0} style={{ "--digits": String(lines.at(-1)?.number ?? 0).length }}>
        {lines.map(({ number, text, failed }) => (
          <li key={number} class={failed ? "failed" : undefined} aria-current={failed ? "true" : undefined}>
            <span class="source-number">{number}</span>
            <code>{text || " "}</code>
          </li>
        ))}
      </ol>
    </figure>
  );
}

/** The last lines before; each is a link to its place in the log. */
function Before({ lines, go }: { lines: readonly LogLine[]; go: (sequence: number) => void }) {
  const follow = (event: MouseEvent, sequence: number): void => {
    if (event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    go(sequence);
  };
  return (
    <figure class="before">
      <figcaption>{beforeTitle(lines.length)}</figcaption>
      <ol>
        {lines.map((line) => {
          const { kind, label } = levelOf(line.level);
          return (
            <li key={line.sequence} class={kind}>
              <a href={`#L${line.sequence}`} onClick={(event) => follow(event, line.sequence)}>
                <time dateTime={line.timestamp}>{clock(line.timestamp)}</time>
                <span class="level">{kind === "warn" || kind === "error" ? label : ""}</span>
                <span class="text">{plain(line).split("\n", 1)}</span>
              </a>
            </li>
          );
        })}
      </ol>
    </figure>
  );
}
