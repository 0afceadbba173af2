import { useEffect, useMemo, useState } from "preact/hooks";
import type { NewShare, Share } from "../client/shares";
import { api } from "../state/app";
import { LIFETIMES, linesFor, RunShares, USUAL_LIFETIME } from "../state/run-shares";
import "../style/share.css";
import { Confirm } from "./confirm";
import { CopyLine } from "./copy-line";
import { Dialog } from "./dialog";
import { Lifetime } from "./lifetime";
import { ProblemMessage } from "./problem-message";
import { Time } from "./time";
import { useCall } from "./use-call";

/** Makes links with which people without an account see a run, and revokes them. */
export function ShareDialog({ taskId, close }: { taskId: string; close: () => void }) {
  const shares = useMemo(() => new RunShares(taskId, api), [taskId]);
  useEffect(() => void shares.load(), [shares]);
  const made = shares.made.value;
  return (
    <Dialog label="Share this run" class="panel-dialog share" close={close}>
      <header>
        <h2>Share this run</h2>
        <button type="button" onClick={close}>
          Close
        </button>
      </header>
      <p class="hint">
        Who has the link sees this run and its steps until the link expires, without an account: log, parameters, result and outputs. It allows
        nothing else.
      </p>
      {made ? <Made shares={shares} made={made} /> : <NewLink shares={shares} />}
      <Live shares={shares} />
    </Dialog>
  );
}

function NewLink({ shares }: { shares: RunShares }) {
  const [lifetime, setLifetime] = useState(USUAL_LIFETIME);
  const call = useCall();
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    call.run(() => shares.make(LIFETIMES[lifetime]?.[1] ?? 0));
  };
  return (
    <form onSubmit={submit}>
      <Lifetime lifetimes={LIFETIMES} at={lifetime} change={setLifetime} />
      {call.problem && <ProblemMessage problem={call.problem} />}
      <button class="primary" disabled={call.busy}>
        {call.busy ? "Making" : "Make a link"}
      </button>
    </form>
  );
}

/** The link that was just made, with what another site adds to show the run. */
function Made({ shares, made }: { shares: RunShares; made: NewShare }) {
  const { frame, element } = linesFor(location.origin, shares.taskId, made);
  const origins = shares.list.value?.embed_origins ?? [];
  return (
    <section class="made-share" aria-label="New link">
      <p role="status">
        <strong>The link is ready.</strong> Copy it now: it is not shown again.
      </p>
      <CopyLine text={made.url} label="Copy the link" />
      <h3>As a frame</h3>
      <CopyLine text={frame} label="Copy the frame" />
      <p class="hint">
        {origins.length
          ? `Pages of ${origins.join(", ")} may show it.`
          : "No site may show it yet: the setting EMBED_ORIGINS of this server is empty."}
      </p>
      <h3>As an element</h3>
      <CopyLine text={element} label="Copy the element" />
      <p class="hint">The setting CORS_ORIGINS of this server lists the sites whose pages may use it.</p>
      <button type="button" onClick={() => (shares.made.value = null)}>
        Make another
      </button>
    </section>
  );
}

function Live({ shares }: { shares: RunShares }) {
  const list = shares.list.value;
  const problem = shares.problem.value;
  return (
    <section class="live-shares" aria-label="Links">
      <h3>Links that are valid</h3>
      {problem && (
        <ProblemMessage problem={problem}>
          {" "}
          <button type="button" class="plain" onClick={() => void shares.load()}>
            Try again
          </button>
        </ProblemMessage>
      )}
      {list?.shares.length === 0 && <p class="hint">There are none.</p>}
      <ul>
        {list?.shares.map((share) => (
          <ShareRow key={share.id} share={share} revoke={() => shares.revoke(share.id)} />
        ))}
      </ul>
    </section>
  );
}

function ShareRow({ share, revoke }: { share: Share; revoke: () => Promise<void> }) {
  const call = useCall();
  return (
    <li>
      <p>
        expires <Time at={share.expires_at} />
        <span class="hint">
          {share.created_by}, <Time at={share.created_at} as="relative" />
        </span>
      </p>
      <Confirm name="Revoke" sure="Revoke now" disabled={call.busy} run={() => call.run(revoke)} />
      {call.problem && <ProblemMessage problem={call.problem} />}
    </li>
  );
}
