import { announce } from "./announce";

/** Copies a text and announces whether the browser allows it. */
export async function copied(text: string): Promise<boolean> {
  const done = await copy(text);
  announce(done ? "Copied" : "The browser does not allow copying");
  return done;
}

/** Copies a text; returns whether the browser allows it. */
export async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copySelected(text);
  }
}

/** Copies without `navigator.clipboard`, which browsers do not offer on a page that came over plain HTTP. */
function copySelected(text: string): boolean {
  const field = document.createElement("textarea");
  field.value = text;
  field.style.position = "fixed";
  field.style.opacity = "0";
  const focused = document.activeElement;
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  if (focused instanceof HTMLElement) focused.focus();
  return done;
}
