import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { announce } from "../state/announce";
import { copy } from "../state/clipboard";

const TOLD_MS = 1_500;

interface Props {
  text: string | (() => string);
  /** What it copies, for a label that does not say so. */
  label?: string;
  class?: string;
  children: ComponentChildren;
}

/** A button that copies, and says for a moment that it did. */
export function Copy({ text, label, children, ...rest }: Props) {
  const [told, tell] = useState("");
  useEffect(() => {
    if (!told) return;
    const timer = setTimeout(() => tell(""), TOLD_MS);
    return () => clearTimeout(timer);
  }, [told]);
  const click = async (): Promise<void> => {
    const done = await copy(typeof text === "string" ? text : text());
    tell(done ? "Copied" : "Not allowed");
    announce(done ? "Copied" : "The browser does not allow copying");
  };
  return (
    <button type="button" aria-label={label} title={label} {...rest} onClick={() => void click()}>
      {told || children}
    </button>
  );
}
