/** The browser has taken over what it saves by then. */
const KEPT_MS = 60_000;

/** Lets the browser save a file that the page has, as it does when a link to it is followed. */
export function save(file: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), KEPT_MS);
}
