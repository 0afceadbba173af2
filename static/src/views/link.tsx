import type { ComponentChildren } from "preact";
import { go } from "../state/app";

/** A link within the dashboard. Modified clicks stay the browser's. */
export function Link({ to, children, ...rest }: { to: string; class?: string; children: ComponentChildren }) {
  const follow = (event: MouseEvent): void => {
    if (event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    go(to);
  };
  return (
    <a href={to} onClick={follow} {...rest}>
      {children}
    </a>
  );
}
