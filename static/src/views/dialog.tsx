import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

interface Props {
  label: string;
  class?: string;
  /** What Escape does; a dialog without it stays until it is answered. */
  close?: () => void;
  children: ComponentChildren;
}

/** A native modal dialog, open while it is rendered. Afterwards the focus goes back to where it was. */
export function Dialog({ label, class: name, close, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const before = document.activeElement;
    const shown = dialog.current;
    shown?.showModal();
    return () => {
      // What is behind an open dialog cannot have the focus.
      shown?.close();
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  // A browser may close a dialog at a second Escape without a cancel event; it is then opened again.
  const closed = (): void => {
    if (close) close();
    else if (dialog.current?.isConnected) dialog.current.showModal();
  };
  const cancel = (event: Event): void => {
    if (event.target !== dialog.current) return;
    event.preventDefault();
    close?.();
  };
  return (
    <dialog ref={dialog} class={name} aria-label={label} onCancel={cancel} onClose={closed}>
      {children}
    </dialog>
  );
}
