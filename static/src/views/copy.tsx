import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { copied } from "../state/clipboard";

const FEEDBACK_MS = 1_500;

interface Props {
  text: string | (() => string);
  /** Names what it copies, where the content does not. */
  label?: string;
  class?: string;
  children: ComponentChildren;
}

/** A button that copies a text, and shows for a moment whether it could. */
export function Copy({ text, label, children, ...rest }: Props) {
  const [feedback, setFeedback] = useState("");
  useEffect(() => {
    if (!feedback) return;
    const timer = setTimeout(() => setFeedback(""), FEEDBACK_MS);
    return () => clearTimeout(timer);
  }, [feedback]);
  const click = async (): Promise<void> => {
    const done = await copied(typeof text === "string" ? text : text());
    setFeedback(done ? "Copied" : "Not allowed");
  };
  return (
    <button type="button" aria-label={label} title={label} {...rest} onClick={() => void click()}>
      {feedback || children}
    </button>
  );
}
