import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import "../style/actions.css";

interface Props {
  label?: string;
  /** What the button shows. */
  face?: ComponentChildren;
  /** Looks like a text until the pointer is over it. */
  quiet?: boolean;
  children: ComponentChildren;
}

/** A button that opens a short list of links and buttons; Escape, a click elsewhere and a focus elsewhere close it. */
export function More({ label = "More", face = "⋯", quiet = false, children }: Props) {
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (!open) return;
    const outside = (event: Event): void => {
      if (!box.current?.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener("pointerdown", outside);
    document.addEventListener("focusin", outside);
    return () => {
      document.removeEventListener("pointerdown", outside);
      document.removeEventListener("focusin", outside);
    };
  }, [open]);
  const escape = (event: KeyboardEvent): void => {
    if (event.key !== "Escape" || !open) return;
    event.stopPropagation();
    setOpen(false);
    button.current?.focus();
  };
  const followed = (event: MouseEvent): void => {
    if ((event.target as Element).closest("a")) setOpen(false);
  };
  return (
    <div class="more" ref={box} onKeyDown={escape}>
      <button
        type="button"
        ref={button}
        class={quiet ? "quiet" : undefined}
        aria-label={label}
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        {face}
      </button>
      {open && (
        <div class="more-list" onClick={followed}>
          {children}
        </div>
      )}
    </div>
  );
}
