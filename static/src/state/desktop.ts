import type { Notification } from "../client/types";
import { OFF_FIRST, setting, type Switch } from "./settings";
import { anySeen } from "./tabs";

/** Whether the browser shows notifications while no tab is in sight. */
export const desktop = setting<Switch>("desktop", OFF_FIRST);

/** Nothing of it exists where a page came without TLS from another machine. */
export const canNotify = "Notification" in globalThis && isSecureContext;

/** Turns it on, asking for leave: only ever called by a click. Returns whether it was given. */
export async function askToNotify(): Promise<boolean> {
  const given = canNotify && (await globalThis.Notification.requestPermission()) === "granted";
  desktop.value = given ? "on" : "off";
  return given;
}

/** Shows it unless a tab is in sight. Several hidden tabs show one, for the tag is the same. */
export async function notifyOutside({ id, title, message }: Notification, open: () => void): Promise<void> {
  if (desktop.value === "off" || !canNotify || globalThis.Notification.permission !== "granted") return;
  if (await anySeen()) return;
  const outside = new globalThis.Notification(title, { body: message, tag: id });
  outside.onclick = () => {
    window.focus();
    outside.close();
    open();
  };
}
