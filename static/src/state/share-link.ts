import { signal } from "@preact/signals";
import { go } from "./address";

const FRAGMENT = /^#token=(trs_[\w.~+/=-]+)$/;

/** The token of the shared run that this page shows; null: the link has none. */
export const shareToken = signal<string | null>(null);

/** The run that the address names. */
export const sharedRun = (): string => /^\/embed\/runs\/([\w-]+)\/?$/.exec(location.pathname)?.[1] ?? "";

/** Takes the token out of the address, so that nobody copies it with the address, and keeps it with the entry of the
 * history, so that the page can be loaded again. Goes on to take the tokens that a site puts into the address later, until
 * the returned function is called. */
export function takeTokens(): () => void {
  const take = (): void => {
    const [, token] = FRAGMENT.exec(location.hash) ?? [];
    // A new entry of the history has none: that of a line of the log, or of a tab.
    if (!token) return shareToken.value ? history.replaceState({ token: shareToken.value }, "") : undefined;
    history.replaceState({ token }, "", location.pathname + location.search);
    go(location.pathname + location.search, true);
    shareToken.value = token;
  };
  const kept = (history.state as { token?: unknown } | null)?.token;
  if (typeof kept === "string") shareToken.value = kept;
  take();
  addEventListener("hashchange", take);
  return () => removeEventListener("hashchange", take);
}

/** Sets the theme that the address asks for (`?theme=dark`); without one it is that of the system. */
export function setThemeOfAddress(): void {
  const theme = new URLSearchParams(location.search).get("theme");
  if (theme === "dark" || theme === "light") document.documentElement.dataset.theme = theme;
}
