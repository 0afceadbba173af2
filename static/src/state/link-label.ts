import { computed, effect, signal, type ReadonlySignal } from "@preact/signals";
import type { Link, Progress } from "../client/watch";
import { announce } from "./announce";
import { link } from "./app";

/** How the task of a run page stands on it; null where the page follows none. Pages set it and take it back. */
export const pageProgress = signal<Progress | null>(null);

export type Said = { mark: "good" | "busy" | "bad" | "rest"; word: string; title: string };

/** What the header says; the seconds until the next try are added by who shows them. */
export const said = computed((): Said => describe(link.value, pageProgress.value));

export function describe(state: Link, progress: Progress | null): Said {
  switch (state.kind) {
    case "live":
      if (progress?.kind === "catching up") {
        const word = `catching up ${progress.behind.toLocaleString("en")}`;
        return { mark: "busy", word, title: "Events that are yet to come until this page is up to date" };
      }
      return { mark: "good", word: "live", title: state.wire === "sse" ? "live · SSE" : "live · Socket.IO" };
    case "connecting":
      return { mark: "busy", word: "connecting", title: "" };
    case "reconnecting":
      return { mark: "bad", word: "reconnecting", title: "What is shown was last known before the connection broke" };
    case "polling":
      return { mark: "rest", word: `polling every ${state.seconds} s`, title: "Neither Socket.IO nor SSE gets through" };
    case "signed out":
      return { mark: "bad", word: "signed out", title: "" };
  }
}

/** Tells screen readers of a break and of its end, but not that a page that was just opened connects. */
export function announceLink(how: ReadonlySignal<Link>): void {
  let before = "live";
  effect(() => {
    const { kind } = how.value;
    if (kind === "connecting" || kind === before) return;
    before = kind;
    announce(kind === "live" ? "Live again" : describe(how.value, null).word);
  });
}
