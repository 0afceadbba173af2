import { useEffect, useState } from "preact/hooks";

interface Props {
  name: string;
  /** What the second click says. */
  sure: string;
  disabled?: boolean;
  run: () => void;
}

/** A button that asks once more, in its own place: what it does cannot be taken back. */
export function Confirm({ name, sure, disabled = false, run }: Props) {
  const [asking, ask] = useState(false);
  useEffect(() => {
    if (disabled) ask(false);
  }, [disabled]);
  const click = (event: MouseEvent): void => {
    // A double click is one wish, not a wish and its confirmation.
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
      {/* Both are laid over one another, so that nothing moves under the pointer. */}
      <span aria-hidden={asking}>{name}</span>
      <span aria-hidden={!asking}>{sure}</span>
    </button>
  );
}
