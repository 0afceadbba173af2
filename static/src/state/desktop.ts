import type { Notification } from "../client/types";
import { OFF_FIRST, setting, type Switch } from "./settings";
import { anyTabVisible } from "./tabs";

/** Whether the browser shows notifications while no tab is visible. */
export const desktop = setting<Switch>("desktop", OFF_FIRST);

/** Browsers offer no notifications on a page that came without TLS from another machine. */
export const canNotify = "Notification" in globalThis && isSecureContext;

/** Turns it on, with the browser's question: call it only in a click. Returns whether the user allows it. */
export async function askToNotify(): Promise<boolean> {
  const allowed = canNotify && (await globalThis.Notification.requestPermission()) === "granted";
  desktop.value = allowed ? "on" : "off";
  return allowed;
}

/** Shows it unless a tab is visible. Several hidden tabs show it once, because its tag is the same. */
export async function notifyDesktop({ id, title, message }: Notification, open: () => void): Promise<void> {
  if (desktop.value === "off" || !canNotify || globalThis.Notification.permission !== "granted") return;
  if (await anyTabVisible()) return;
  const shown = new globalThis.Notification(title, { body: message, tag: id });
  shown.onclick = () => {
    window.focus();
    shown.close();
    open();
  };
}
