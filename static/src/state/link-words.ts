import type { Link, Progress } from "../client/watch";
import { count } from "./format";

interface LinkLabel {
  mark: "good" | "busy" | "bad" | "rest";
  word: string;
  title: string;
}

/** Returns how a page shows the state of its connection, without the seconds until the next try. */
export function labelOf(state: Link, progress: Progress | null): LinkLabel {
  switch (state.kind) {
    case "live":
      if (progress?.kind === "catching up") {
        const word = `catching up ${count(progress.behind)}`;
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
