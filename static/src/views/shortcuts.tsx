import { signal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { go } from "../state/app";
import { effective, EVERYWHERE, shortcutGroups, useShortcuts } from "../state/keys";

const open = signal(false);

export const showShortcuts = (): void => {
  open.value = true;
};

/** The `?` page: what may be pressed on the page as it stands. */
export function Shortcuts() {
  const dialog = useRef<HTMLDialogElement>(null);
  useShortcuts(
    EVERYWHERE,
    useMemo(
      () => [
        { keys: "?", says: "All shortcuts", run: showShortcuts },
        { keys: "g r", says: "All runs", run: () => go("/") },
      ],
      [],
    ),
  );
  const shown = open.value;
  useEffect(() => {
    if (shown) dialog.current?.showModal();
  }, [shown]);
  if (!shown) return null;
  const close = (): void => dialog.current?.close();
  return (
    <dialog
      ref={dialog}
      class="shortcuts"
      aria-labelledby="shortcuts"
      onClose={() => (open.value = false)}
      onClick={(event) => event.target === dialog.current && close()}
    >
      <div class="drop-head">
        <h2 id="shortcuts">Shortcuts</h2>
        <button type="button" onClick={close}>
          Close
        </button>
      </div>
      <div class="groups">
        {effective(shortcutGroups.value).map(({ name, shortcuts }) => (
          <section key={name}>
            <h3>{name}</h3>
            <dl>
              {shortcuts.map(({ keys, says }) => (
                <div key={keys}>
                  <dt>
                    {keys.split(" ").map((key, place) => (
                      <kbd key={place}>{key}</kbd>
                    ))}
                  </dt>
                  <dd>{says}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </dialog>
  );
}
