import { computed, effect, signal, type ReadonlySignal } from "@preact/signals";
import type { Link, Progress } from "../client/watch";
import { announce } from "./announce";
import { link } from "./app";
import { labelOf } from "./link-words";

/** The progress of the task of a run page; null on other pages. The page sets it. */
export const pageProgress = signal<Progress | null>(null);

/** The state of the connection as the header shows it, without the seconds until the next try. */
export const linkLabel = computed(() => labelOf(link.value, pageProgress.value));

/** Announces a break of the connection and its end to screen readers, but not the first connection of a page. */
export function announceLink(state: ReadonlySignal<Link>): void {
  let before = "live";
  effect(() => {
    const { kind } = state.value;
    if (kind === "connecting" || kind === before) return;
    before = kind;
    announce(kind === "live" ? "Live again" : labelOf(state.value, null).word);
  });
}
