import Anser from "anser";
import type { LogLine } from "../client/types";
import { hits, type Span } from "./log-hits";
import { isForTerminal, withColoursOnly } from "../client/terminalText";
import { local } from "./time";

/** A part of a line with one style. */
export interface Piece {
  text: string;
  /** Classes of log.css. */
  look?: string;
  /** "r, g, b" of a colour beyond the sixteen. */
  colour?: string;
  ground?: string;
  href?: string;
  hit?: boolean;
}

const ADDRESS = /\bhttps?:\/\/[^\s<>"'`\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]+/g;
const TRAILING = /[.,;:!?)\]}]+$/;

/** The line of a task that is published for later. */
const DUE = /^Due at (\d{4}-\d\d-\d\dT\S+)$/;

const parsed = new WeakMap<LogLine, Piece[]>();

/** What a terminal shows in the end: each `\r` begins the line again. */
const lastState = (message: string): string =>
  message.includes("\r") ? message.split("\n").map((line) => line.split("\r").findLast(Boolean) ?? "").join("\n") : message;

/** Returns the text of a line with its colours, which end with the line, and without other control sequences. */
export function pieces(line: LogLine): Piece[] {
  const due = line.component === "celery" ? (DUE.exec(line.message)?.[1] ?? "") : "";
  if (Date.parse(due)) return [{ text: `Due at ${local(due)}` }];
  const message = lastState(line.message);
  if (!isForTerminal(message)) return [{ text: message }];
  let found = parsed.get(line);
  if (!found) parsed.set(line, (found = coloured(message)));
  return found;
}

export const plain = (line: LogLine): string => pieces(line).map(({ text }) => text).join("");

/** Returns the pieces of a line, split so that links and hits of a search are pieces of their own. */
export function marked(line: LogLine, wanted: string): Piece[] {
  const all = pieces(line);
  if (!wanted && !line.message.includes("://")) return all;
  const text = plain(line);
  const linked = cut(all, links(text), (piece, span) => ({ ...piece, href: text.slice(span.start, span.end) }));
  return cut(linked, hits(text, wanted), (piece) => ({ ...piece, hit: true }));
}

function links(text: string): Span[] {
  return [...text.matchAll(ADDRESS)]
    .map(({ index, 0: address }) => ({ start: index, end: index + address.replace(TRAILING, "").length }))
    .filter(({ start, end }) => URL.canParse(text.slice(start, end)));
}

function cut(all: Piece[], spans: Span[], change: (piece: Piece, span: Span) => Piece): Piece[] {
  if (!spans.length) return all;
  const out: Piece[] = [];
  let at = 0;
  let next = 0;
  for (const piece of all) {
    const end = at + piece.text.length;
    let from = at;
    while (from < end) {
      while (spans[next] && (spans[next] as Span).end <= from) next++;
      const span = spans[next];
      const inside = span !== undefined && span.start <= from;
      const to = Math.min(end, span === undefined ? end : inside ? span.end : span.start);
      const part = { ...piece, text: piece.text.slice(from - at, to - at) };
      out.push(inside ? change(part, span) : part);
      from = to;
    }
    at = end;
  }
  return out;
}

const coloured = (message: string): Piece[] =>
  Anser.ansiToJson(withColoursOnly(message), { json: true, remove_empty: true, use_classes: true }).map(look);

function look({ content, fg, bg, fg_truecolor, bg_truecolor, decorations }: Anser.AnserJsonEntry): Piece {
  const piece: Piece = { text: content };
  const classes: string[] = [];
  const ground = rgb(bg, bg_truecolor);
  const colour = rgb(fg, fg_truecolor);
  // On a coloured ground the text has the colour of the page, so that no pair of colours is unreadable.
  if (ground) piece.ground = ground;
  else if (bg) classes.push(`${bg}-bg`);
  else if (colour) piece.colour = colour;
  else if (fg) classes.push(`${fg}-fg`);
  // A line cannot hide its text, nor blink.
  for (const name of decorations) if (name !== "hidden" && name !== "blink") classes.push(`ansi-${name}`);
  if (classes.length) piece.look = classes.join(" ");
  return piece;
}

/** Returns a colour of the palette beyond the sixteen by its formula: a cube of six a side, then greys. */
function rgb(name: string | null, truecolor: string | null): string | undefined {
  if (name === "ansi-truecolor") return truecolor ?? undefined;
  const found = /^ansi-palette-(\d+)$/.exec(name ?? "");
  if (!found) return undefined;
  const index = Number(found[1]) - 16;
  if (index >= 216) return Array(3).fill(8 + (index - 216) * 10).join(", ");
  return [index / 36, index / 6, index].map((side) => [0, 95, 135, 175, 215, 255][Math.floor(side) % 6]).join(", ");
}
