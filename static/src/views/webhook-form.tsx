import { useState } from "preact/hooks";
import type { WebhookBody } from "../client/account";
import type { User } from "../client/types";
import { seesTenantKeys } from "../state/api-keys";
import { OFFERED, type Webhooks } from "../state/webhooks";
import { ProblemMessage } from "./problem-message";
import { useCall } from "./use-call";

const USUAL = ["task_completed", "approval_needed"];

/** The form that makes a webhook. */
export function WebhookForm({ user, hooks }: { user: User; hooks: Webhooks }) {
  const [url, setUrl] = useState("");
  const [types, setTypes] = useState<readonly string[]>(USUAL);
  const [all, setAll] = useState(false);
  const call = useCall();
  const errors = call.problem?.errors ?? {};
  const wrong = (field: keyof WebhookBody) => errors[field]?.map((text) => <p class="wrong">{text}</p>);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    call.run(() => hooks.make({ url: url.trim(), event_types: types, scope: all ? "tenant" : "user" }));
  };
  const toggle = (type: string, on: boolean): void =>
    setTypes(OFFERED.map(([one]) => one).filter((one) => (one === type ? on : types.includes(one))));
  return (
    <form class="key-form" onSubmit={submit}>
      <div class="field">
        <label>
          Address
          <input
            name="url"
            type="url"
            value={url}
            maxLength={2_000}
            required
            autocomplete="off"
            placeholder="https://hooks.example.org/taskroom"
            aria-invalid={Boolean(errors.url)}
            onInput={({ currentTarget }) => setUrl(currentTarget.value)}
          />
        </label>
        {wrong("url")}
      </div>
      <fieldset>
        <legend>Events</legend>
        {OFFERED.map(([type, words]) => (
          <label key={type} class="tick">
            <input type="checkbox" name={type} checked={types.includes(type)} onChange={({ currentTarget }) => toggle(type, currentTarget.checked)} />
            <span>
              {words} <code>{type}</code>
            </span>
          </label>
        ))}
        {wrong("event_types")}
      </fieldset>
      {seesTenantKeys(user) && (
        <label class="tick">
          <input type="checkbox" name="tenant" checked={all} onChange={({ currentTarget }) => setAll(currentTarget.checked)} />
          Of everybody of {user.tenant}, not only mine
        </label>
      )}
      {call.problem && !Object.keys(errors).length && <ProblemMessage problem={call.problem} />}
      <button class="primary" disabled={call.busy || !types.length}>
        {call.busy ? "Making" : "Make a webhook"}
      </button>
    </form>
  );
}
