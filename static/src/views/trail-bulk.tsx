import { useEffect, useMemo, useState } from "preact/hooks";
import type { User } from "../client/types";
import { account } from "../state/account";
import { TrailList } from "../state/trail-list";
import { Chevron } from "./chevron";
import { ProblemMessage } from "./problem-message";
import { TrailRow } from "./trail-row";

interface Props {
  /** The id of the bulk action. */
  bulk: string;
  /** The id of an account: only its runs. */
  owner: string | undefined;
  user: User;
  only: (who: string) => void;
}

/** What a bulk action did to each run, below its entry: loaded when it is opened, a page at a time. */
export function BulkDeeds(props: Props) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <button type="button" class="plain unfold" aria-expanded={open} onClick={() => setOpen(!open)}>
        <Chevron open={open} />
        {open ? "Hide each run" : "Show each run"}
      </button>
      {open && <Deeds {...props} />}
    </>
  );
}

function Deeds({ bulk, owner, user, only }: Props) {
  const list = useMemo(() => new TrailList(account, { bulk, owner }), [bulk, owner]);
  useEffect(() => {
    void list.load();
    return () => list.stop();
  }, [list]);
  const entries = list.entries.value;
  const problem = list.problem.value;
  return (
    <>
      {problem && <ProblemMessage problem={problem} />}
      {!problem && !entries && <p class="late">Loading.</p>}
      <ol class="trail">
        {entries?.map((entry) => (
          <TrailRow key={entry.id} entry={entry} mine={entry.user_id === user.id} only={only} />
        ))}
      </ol>
      {(list.next.value || problem) && (
        <button type="button" disabled={list.busy.value} onClick={() => void (entries ? list.more() : list.load())}>
          {problem ? "Try again" : list.busy.value ? "Loading" : "Show older"}
        </button>
      )}
    </>
  );
}
