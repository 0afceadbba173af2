import { useEffect, useMemo, useRef } from "preact/hooks";
import type { NewWebhook } from "../client/account";
import type { User } from "../client/types";
import { account } from "../state/account";
import { mayAct } from "../state/app";
import { Webhooks } from "../state/webhooks";
import { CopyLine } from "./copy-line";
import { ProblemMessage } from "./problem-message";
import { WebhookForm } from "./webhook-form";
import { WebhookRow } from "./webhook-row";

/** The user's webhooks: addresses that are sent its events. */
export function WebhookSettings({ user }: { user: User }) {
  const hooks = useMemo(() => new Webhooks(account), [user.id]);
  useEffect(() => void hooks.load(), [hooks]);
  const rows = hooks.rows.value;
  const problem = hooks.problem.value;
  const made = hooks.made.value;
  return (
    <>
      <p class="hint">An address that is sent your events, signed, at least once each. Its secret is shown once, when it is made.</p>
      {made ? <Made made={made} close={() => (hooks.made.value = null)} /> : mayAct.value && <WebhookForm user={user} hooks={hooks} />}
      <section aria-label="Webhooks">
        {problem && (
          <ProblemMessage problem={problem}>
            {" "}
            <button type="button" class="plain" onClick={() => void hooks.load()}>
              Try again
            </button>
          </ProblemMessage>
        )}
        {!problem && !rows && <p class="late">Loading.</p>}
        {rows?.length === 0 && <p class="empty">You have no webhooks.</p>}
        {rows && rows.length > 0 && (
          <ul class="keys hooks">
            {rows.map((row) => (
              <WebhookRow key={row.id} row={row} hooks={hooks} />
            ))}
          </ul>
        )}
      </section>
    </>
  );
}

function Made({ made, close }: { made: NewWebhook; close: () => void }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  return (
    <section class="made-key" aria-label="New webhook">
      <h2 ref={heading} tabIndex={-1}>
        The secret of the new webhook
      </h2>
      <p>Requests are signed with it. Copy it now: it is not shown again.</p>
      <CopyLine text={made.secret} label="Copy the secret" />
      <button type="button" onClick={close}>
        Done
      </button>
    </section>
  );
}
