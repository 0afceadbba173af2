import { useEffect, useMemo } from "preact/hooks";
import type { User } from "../client/types";
import { ApiKeys, mayReport, seesTenantKeys } from "../state/api-keys";
import { api } from "../state/app";
import "../style/keys.css";
import { Choice } from "./choice";
import { KeyForm } from "./key-form";
import { KeyRow } from "./key-row";
import { MadeKey } from "./made-key";
import { ProblemMessage } from "./problem-message";
import { WaysInOfPage } from "./ways-in";

/** The settings of the user's API keys, by which programs report, read and start runs. */
export function KeysSettings({ user }: { user: User }) {
  const keys = useMemo(() => new ApiKeys(api), [user.id]);
  useEffect(() => void keys.load(), [keys]);
  const made = keys.made.value;
  return (
    <>
        <p class="hint">A program that has a key acts for you, within the scopes of the key. A key is shown once, when it is made.</p>
        {made ? <MadeKey made={made} close={() => (keys.made.value = null)} /> : <KeyForm user={user} keys={keys} />}
        <KeyList user={user} keys={keys} />
        {!made && mayReport(user) && <WaysInOfPage />}
    </>
  );
}

function KeyList({ user, keys }: { user: User; keys: ApiKeys }) {
  const rows = keys.rows.value;
  const problem = keys.problem.value;
  const all = keys.scope.value === "tenant";
  return (
    <section aria-label="Keys">
      {seesTenantKeys(user) && (
        <Choice
          label="Whose"
          value={keys.scope.value}
          options={[
            { value: "own", name: "Mine" },
            { value: "tenant", name: `All of ${user.tenant}` },
          ]}
          change={(scope) => void keys.load(scope === "tenant" ? "tenant" : "own")}
        />
      )}
      {problem && (
        <ProblemMessage problem={problem}>
          {" "}
          <button type="button" class="plain" onClick={() => void keys.load()}>
            Try again
          </button>
        </ProblemMessage>
      )}
      {!problem && !rows && <p class="late">Loading.</p>}
      {rows?.length === 0 && <p class="empty">{all ? `Nobody of ${user.tenant} has a key.` : "You have no keys."}</p>}
      {rows && rows.length > 0 && (
        <ul class="keys">
          {rows.map((row) => (
            <KeyRow key={row.id} row={row} owner={all} revoke={() => keys.revoke(row.id)} />
          ))}
        </ul>
      )}
      {keys.next.value && (
        <button type="button" onClick={() => void keys.more()}>
          Show more
        </button>
      )}
    </section>
  );
}
