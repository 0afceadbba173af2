import { useEffect, useState } from "preact/hooks";
import "../style/confirm.css";

interface Props {
  name: string;
  /** The label for the second click. */
  sure: string;
  disabled?: boolean;
  run: () => void;
}

/** A button that needs a second click, for an action that cannot be undone. */
export function Confirm({ name, sure, disabled = false, run }: Props) {
  const [asking, ask] = useState(false);
  useEffect(() => {
    if (disabled) ask(false);
  }, [disabled]);
  const click = (event: MouseEvent): void => {
    // A double click does not confirm.
    if (asking && event.detail > 1) return;
    ask(!asking);
    if (asking) run();
  };
  return (
    <button
      type="button"
      class={asking ? "confirm asking" : "confirm"}
      disabled={disabled}
      onClick={click}
      onBlur={() => ask(false)}
      onKeyDown={(event) => event.key === "Escape" && ask(false)}
    >
      {/* Both lie over each other, so that nothing moves under the pointer. */}
      <span aria-hidden={asking}>{name}</span>
      <span aria-hidden={!asking}>{sure}</span>
    </button>
  );
}
