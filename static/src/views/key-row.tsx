import type { ApiKey } from "../client/apiKeys";
import { hasExpired } from "../state/api-keys";
import { tickingServerNow } from "../state/clock";
import { Confirm } from "./confirm";
import { ProblemMessage } from "./problem-message";
import { Time } from "./time";
import { useCall } from "./use-call";

interface Props {
  row: ApiKey;
  /** Whether to name the owner. */
  owner: boolean;
  revoke: () => Promise<void>;
}

/** One key of the list, and the button that revokes it. */
export function KeyRow({ row, owner, revoke }: Props) {
  const call = useCall();
  return (
    <li aria-label={row.name}>
      <div>
        <strong>{row.name}</strong> <code>{row.prefix}…</code>
        <p class="hint">
          {row.scopes.join(", ")}
          {owner ? ` · ${row.owner}` : row.tenant && ` · ${row.tenant}`}
        </p>
      </div>
      <p class="hint">
        {row.last_used_at ? (
          <>
            used <Time at={row.last_used_at} as="relative" />
          </>
        ) : (
          "never used"
        )}
        <br />
        <Expiry row={row} />
      </p>
      <Confirm name="Revoke" sure="Revoke now" disabled={call.busy} run={() => call.run(revoke)} />
      {call.problem && <ProblemMessage problem={call.problem} />}
    </li>
  );
}

function Expiry({ row }: { row: ApiKey }) {
  if (!row.expires_at) return <>does not expire</>;
  return (
    <>
      {hasExpired(row, tickingServerNow()) ? <strong class="wrong">expired</strong> : "expires"}{" "}
      <Time at={row.expires_at} />
    </>
  );
}
