import { useEffect, useRef } from "preact/hooks";
import type { Below } from "../client/observed";
import type { Task } from "../client/types";
import { announce } from "../state/announce";
import { colourOf } from "../state/colour";
import { markAddress, statusWord, toneOf } from "../state/marks";
import { announcementOf, titleOf } from "../state/tab-title";

/** Keeps title and icon of the browser tab up to date with a run, and announces its changes to screen readers. */
export function useTabTitle(task: Task | null, below: Below | null): void {
  const title = task ? titleOf(task, below) : "Taskroom";
  useEffect(() => {
    document.title = title;
  }, [title]);
  const status = task?.status;
  useEffect(() => {
    const icon = document.querySelector<HTMLLinkElement>("link[rel=icon]");
    if (!status || !icon) return;
    const before = icon.href;
    icon.href = markAddress(statusWord(status), colourOf(`var(--${toneOf(status)})`));
    return () => void (icon.href = before);
  }, [status]);
  const announcement = task ? announcementOf(task) : "";
  const first = useRef(true);
  useEffect(() => {
    // The first state is read out with the page.
    if (announcement && !first.current) announce(announcement);
    if (announcement) first.current = false;
  }, [announcement]);
}
