import { useId, useState } from "preact/hooks";
import type { KeyBody } from "../client/api";
import { SCOPES, type Scope } from "../client/apiKeys";
import { type User } from "../client/types";
import { LIFETIMES, SCOPE_WORDS, scopesFor, usualScopes, type ApiKeys } from "../state/api-keys";
import { Lifetime } from "./lifetime";
import { ProblemMessage } from "./problem-message";
import { useCall } from "./use-call";

/** The form that makes a key. */
export function KeyForm({ user, keys }: { user: User; keys: ApiKeys }) {
  const [name, setName] = useState("");
  const [scopes, setScopes] = useState<readonly Scope[]>(usualScopes(user));
  const [lifetime, setLifetime] = useState(0);
  const [tenant, setTenant] = useState("");
  const expiry = useId();
  const call = useCall();
  const errors = call.problem?.errors ?? {};
  const wrong = (field: keyof KeyBody) => errors[field]?.map((text) => <p class="wrong">{text}</p>);
  const allowed = scopesFor(user);

  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const expires_in = LIFETIMES[lifetime]?.[1] ?? null;
    call.run(() => keys.make({ name, scopes, expires_in, ...(tenant ? { tenant } : {}) }));
  };
  const toggle = (scope: Scope, on: boolean): void =>
    setScopes(SCOPES.filter((one) => (one === scope ? on : scopes.includes(one))));

  return (
    <form class="key-form" onSubmit={submit}>
      <div class="field">
        <label>
          Name
          <input
            name="name"
            value={name}
            maxLength={100}
            required
            autocomplete="off"
            placeholder="Where it is used: nightly backup"
            aria-invalid={Boolean(errors.name)}
            onInput={({ currentTarget }) => setName(currentTarget.value)}
          />
        </label>
        {wrong("name")}
      </div>
      <fieldset>
        <legend>Scopes</legend>
        {SCOPES.map((scope) => (
          <label key={scope} class="tick">
            <input
              type="checkbox"
              name={scope}
              checked={scopes.includes(scope)}
              disabled={!allowed.includes(scope)}
              onChange={({ currentTarget }) => toggle(scope, currentTarget.checked)}
            />
            <span>
              <code>{scope}</code> {SCOPE_WORDS[scope]}
            </span>
          </label>
        ))}
        {wrong("scopes")}
      </fieldset>
      <Lifetime lifetimes={LIFETIMES} at={lifetime} change={setLifetime} invalid={Boolean(errors.expires_in)} describedBy={expiry}>
        <div id={expiry}>{wrong("expires_in")}</div>
      </Lifetime>
      {user.role === "global_admin" && (
        <div class="field">
          <label>
            <span>
              Tenant<em> optional</em>
            </span>
            <input
              name="tenant"
              value={tenant}
              maxLength={128}
              autocomplete="off"
              aria-invalid={Boolean(errors.tenant)}
              onInput={({ currentTarget }) => setTenant(currentTarget.value)}
            />
          </label>
          {wrong("tenant")}
        </div>
      )}
      {call.problem && !Object.keys(errors).length && <ProblemMessage problem={call.problem} />}
      <button class="primary" disabled={call.busy || !scopes.length}>
        {call.busy ? "Making" : "Make a key"}
      </button>
    </form>
  );
}
