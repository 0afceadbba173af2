import { signal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { go } from "../state/address";
import { effective, EVERYWHERE, shortcutGroups, useShortcuts } from "../state/keys";
import { PLACES } from "../state/places";
import { Dialog } from "./dialog";

const open = signal(false);

export const showShortcuts = (): void => {
  open.value = true;
};

/** The `?` page, which lists the shortcuts of the page that is shown. */
export function Shortcuts() {
  useShortcuts(
    EVERYWHERE,
    useMemo(
      () => [
        { keys: "?", description: "All shortcuts", run: showShortcuts },
        ...PLACES.map(({ name, to, keys }) => ({ keys, description: name, run: () => go(to) })),
      ],
      [],
    ),
  );
  if (!open.value) return null;
  const close = (): void => {
    open.value = false;
  };
  return (
    <Dialog label="Shortcuts" class="shortcuts" close={close}>
      <div class="drop-head">
        <h2>Shortcuts</h2>
        <button type="button" onClick={close}>
          Close
        </button>
      </div>
      <div class="groups">
        {effective(shortcutGroups.value).map(({ name, shortcuts }) => (
          <section key={name}>
            <h3>{name}</h3>
            <dl>
              {shortcuts.map(({ keys, description }) => (
                <div key={keys}>
                  <dt>
                    {keys.split(" ").map((key, index) => (
                      <kbd key={index}>{key}</kbd>
                    ))}
                  </dt>
                  <dd>{description}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
