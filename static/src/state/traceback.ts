/** A part of a traceback. Calls within libraries are folded, because the fault is seldom there. */
interface Part {
  folded: boolean;
  text: string;
  /** How many calls it shows. */
  calls: number;
}

const CALL = /^\s+File "(.+)", line \d+/;
const LIBRARY = /[/\\](?:site-packages|dist-packages|lib[/\\]python[\d.]+)[/\\]|^<frozen /;

/** Splits a Python traceback where library code begins and ends. */
export function traceback(text: string): Part[] {
  const parts: Part[] = [];
  let inLibrary = false;
  for (const line of text.replace(/\n+$/, "").split("\n")) {
    const file = CALL.exec(line)?.[1];
    if (file !== undefined) inLibrary = LIBRARY.test(file);
    // A line that is not indented is a heading or the error itself.
    else if (!/^\s/.test(line)) inLibrary = false;
    const last = parts.at(-1);
    const call = file === undefined ? 0 : 1;
    if (last && last.folded === inLibrary) {
      last.text += `\n${line}`;
      last.calls += call;
    } else parts.push({ folded: inLibrary, text: line, calls: call });
  }
  return parts;
}
