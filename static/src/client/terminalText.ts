// Control sequences that are no colours; they begin with ESC or with one character beyond ASCII. STRINGS (titles, links, the
// clipboard) go up to their end or the end of the line, CONTROLS are cursor moves and modes, REST is character sets.
const STRINGS = /(?:\u001b[\]PX^_]|[\u0090\u0098\u009d-\u009f])[^\u0007\u001b\u009c]*(?:\u0007|\u001b\\|\u009c)?/g;
const CONTROLS = /(?:\u001b\[|\u009b)([0-?]*)[ -/]*([@-~])?/g;
const REST = /\u001b(?!\[[\d;]*m)(?:[ -/]*[0-Z\\^-~])?|[\u0080-\u009f]/g;
const TERMINAL = /[\u001b\u0080-\u009f]/;
const COLOUR = /^[\d;]*$/;
const COLOURS = /\u001b\[[\d;]*m/g;

export const isForTerminal = (message: string): boolean => TERMINAL.test(message);

/** Removes all control sequences but colours. */
export const withColoursOnly = (message: string): string =>
  message
    .replace(STRINGS, "")
    .replace(CONTROLS, (_, values: string, kind: string) =>
      kind === "m" && COLOUR.test(values) ? `\u001b[${values}m` : "",
    )
    .replace(REST, "");

/** Removes all control sequences. */
export const plainText = (message: string): string =>
  isForTerminal(message) ? withColoursOnly(message).replace(COLOURS, "") : message;
