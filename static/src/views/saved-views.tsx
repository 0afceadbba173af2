import { useEffect, useId, useState } from "preact/hooks";
import type { SavedView } from "../client/savedViews";
import type { User } from "../client/types";
import { address } from "../state/address";
import { filterOf, listAddress } from "../state/filter";
import { dropView, filtersOf, keepView, loadViews, updateView, viewAddress, viewOf, views } from "../state/views";
import "../style/views.css";
import { Confirm } from "./confirm";
import { Dialog } from "./dialog";
import { Link } from "./link";
import { More } from "./more";
import { ProblemMessage } from "./problem-message";
import { useCall, type Call } from "./use-call";

/** The menu of saved views: links to lists with their filters, and what can be done with the one that is shown. */
export function SavedViews({ user }: { user: User }) {
  const [naming, setNaming] = useState<"new" | "name" | null>(null);
  const call = useCall();
  useEffect(() => void loadViews(), []);
  const found = views.value;
  const all = Array.isArray(found) ? (found as readonly SavedView[]) : [];
  // Without what the list does not know, which the server would refuse.
  const here = listAddress(filterOf(address.value, user));
  const shown = viewOf(address.value, all) ?? viewOf(here, all);
  const any = Object.keys(filtersOf(here)).length > 0;
  const mine = all.filter(({ mine }) => mine);
  const others = all.filter(({ mine }) => !mine);
  return (
    <div class="saved-views">
      <More label={shown ? `View: ${shown.name}` : "Views"} face={<bdi>{shown?.name ?? "Views"}</bdi>}>
        {mine.map((view) => (
          <ViewLink key={view.id} view={view} shown={shown} />
        ))}
        {others.length > 0 && <p class="hint">Of the team</p>}
        {others.map((view) => (
          <ViewLink key={view.id} view={view} shown={shown} />
        ))}
        {found !== null && !all.length && !any && <p class="hint">Filter the list, then save it here.</p>}
        {found instanceof Error && <ProblemMessage problem={found} />}
        {any && !shown && (
          <button type="button" onClick={() => setNaming("new")}>
            Save this view…
          </button>
        )}
        {shown?.may_change && <Changes view={shown} user={user} call={call} rename={() => setNaming("name")} />}
        {call.problem && <ProblemMessage problem={call.problem} />}
      </More>
      {naming && <NameDialog user={user} here={here} {...(naming === "name" && shown ? { view: shown } : {})} close={() => setNaming(null)} />}
    </div>
  );
}

function ViewLink({ view, shown }: { view: SavedView; shown: SavedView | undefined }) {
  return (
    <Link to={viewAddress(view)} {...(view === shown ? { "aria-current": "true" as const } : {})}>
      <bdi>{view.name}</bdi>
      {view.mine ? view.shared && <small>shared</small> : <small>{view.owner.split("@")[0]}</small>}
    </Link>
  );
}

/** What may be done with a view. */
function Changes({ view, user, call, rename }: { view: SavedView; user: User; call: Call; rename: () => void }) {
  return (
    <div class="view-changes">
      <button type="button" onClick={rename}>
        Rename…
      </button>
      {(view.shared || mayShare(user, view.filters.scope)) && (
        <button type="button" disabled={call.busy} onClick={() => call.run(() => updateView(view, { shared: !view.shared }))}>
          {view.shared ? "Share no more" : "Share with the team"}
        </button>
      )}
      <Confirm name="Remove" sure="Remove now" disabled={call.busy} run={() => call.run(() => dropView(view))} />
    </div>
  );
}

/** Asks for the name of a view, a new one or one that has a name. */
function NameDialog({ view, user, here, close }: { view?: SavedView; user: User; here: string; close: () => void }) {
  const call = useCall();
  const id = useId();
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const given = new FormData(event.currentTarget as HTMLFormElement);
    const name = String(given.get("name")).trim();
    call.run(async () => {
      if (view) await updateView(view, { name });
      else await keepView(name, here, given.has("shared"));
      close();
    });
  };
  const title = view ? "Rename the view" : "Save this view";
  return (
    <Dialog label={title} class="sure" close={close}>
      <h2>{title}</h2>
      <form onSubmit={submit} class="view-form">
        <label for={id}>
          Name
          <input id={id} name="name" required maxLength={100} pattern=".*\S.*" defaultValue={view?.name ?? ""} autocomplete="off" autofocus />
        </label>
        {!view && mayShare(user, filterOf(here, user).scope) && (
          <label class="tick">
            <input type="checkbox" name="shared" /> Share with the team
          </label>
        )}
        {call.problem && <ProblemMessage problem={call.problem} />}
        <div class="sure-buttons">
          <button type="button" onClick={close}>
            Back
          </button>
          <button type="submit" class="primary" disabled={call.busy}>
            {view ? "Rename" : "Save"}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** Whether the user may share a view of this scope; the server checks it again. Nobody of a tenant may see the runs of all. */
const mayShare = (user: User, scope: string | undefined): boolean => scope !== "all" && Boolean(user.tenant) && user.role !== "viewer" && user.role !== "worker";
