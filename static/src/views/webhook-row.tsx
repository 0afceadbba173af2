import { useState } from "preact/hooks";
import type { Delivery, Webhook } from "../client/account";
import { account } from "../state/account";
import { mayAct } from "../state/app";
import type { Webhooks } from "../state/webhooks";
import { Confirm } from "./confirm";
import { ProblemMessage } from "./problem-message";
import { Time } from "./time";
import { useCall } from "./use-call";
import { useAnswer } from "./use-loaded";

const SHOWN = 20;
const REFRESH_MS = 5_000;

/** One webhook of the list, what can be done with it, and its last deliveries. */
export function WebhookRow({ row, hooks }: { row: Webhook; hooks: Webhooks }) {
  const call = useCall();
  const [open, setOpen] = useState(false);
  const [tests, setTests] = useState(0);
  const test = async (): Promise<void> => {
    await account.pingWebhook(row.id);
    setTests(tests + 1);
    setOpen(true);
  };
  return (
    <li aria-label={row.url}>
      <div>
        <strong>{row.url}</strong>
        <p class="hint">
          {row.event_types.join(", ")}
          {row.scope === "tenant" && " · of the tenant"}
        </p>
      </div>
      <p class="hint">
        <State row={row} />
      </p>
      <div class="hook-buttons">
        <button type="button" aria-expanded={open} onClick={() => setOpen(!open)}>
          Deliveries
        </button>
        {mayAct.value && (
          <>
            <button type="button" disabled={call.busy || !row.enabled} onClick={() => call.run(test)}>
              Test
            </button>
            <button type="button" disabled={call.busy} onClick={() => call.run(() => hooks.enable(row.id, !row.enabled))}>
              {row.enabled ? "Pause" : "Resume"}
            </button>
          </>
        )}
        <Confirm name="Remove" sure="Remove now" disabled={call.busy} run={() => call.run(() => hooks.remove(row.id))} />
      </div>
      {call.problem && <ProblemMessage problem={call.problem} />}
      {open && <Deliveries id={row.id} tests={tests} />}
    </li>
  );
}

function State({ row: { enabled, disabled_at, failures } }: { row: Webhook }) {
  if (!enabled) {
    return (
      <>
        <strong>paused</strong> {disabled_at && <Time at={disabled_at} as="relative" />}
      </>
    );
  }
  return failures ? <strong class="wrong">{failures} failed in a row</strong> : <>active</>;
}

function Deliveries({ id, tests }: { id: string; tests: number }) {
  const { value, problem } = useAnswer(() => account.deliveries(id, SHOWN), [id, tests], REFRESH_MS);
  if (problem) return <ProblemMessage problem={problem} />;
  if (!value) return <p class="late">Loading.</p>;
  if (!value.length) return <p class="empty">Nothing was sent in the last week.</p>;
  return (
    <table class="deliveries">
      <caption>The last deliveries</caption>
      <thead>
        <tr>
          <th scope="col">When</th>
          <th scope="col">Event</th>
          <th scope="col">Outcome</th>
        </tr>
      </thead>
      <tbody>
        {value.map((delivery) => (
          <tr key={delivery.id}>
            <td>
              <Time at={delivery.created_at} focusable />
            </td>
            <td>
              <code>{delivery.event_type}</code>
            </td>
            <td>
              <Outcome delivery={delivery} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Outcome({ delivery: { status, attempts, tries, next_try_at } }: { delivery: Delivery }) {
  const last = attempts.at(-1);
  const answer = last && (last.error ?? (last.status_code === null ? null : `answer ${last.status_code}`));
  return (
    <>
      <strong class={status === "failed" ? "s-fail" : status === "delivered" ? "s-ok" : undefined}>{status}</strong>
      {answer && <> {answer}</>}
      {tries > 1 && <> after {tries} tries</>}
      {status === "pending" && next_try_at && (
        <>
          , next <Time at={next_try_at} />
        </>
      )}
    </>
  );
}
