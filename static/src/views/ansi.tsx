import type { LogLine } from "../client/types";
import { marked, type Piece } from "../state/log-text";

/** The text of a line, always as text and never as markup. */
export function LineText({ line, query }: { line: LogLine; query: string }) {
  return <>{marked(line, query).map(part)}</>;
}

function part({ text, look, colour, ground, href, hit }: Piece, index: number) {
  const inner = hit ? <mark>{text}</mark> : text;
  const style = colour || ground ? { ...beyond("--beyond", colour), ...beyond("--beyond-ground", ground) } : undefined;
  const classes = [look, colour && "beyond", ground && "beyond-ground"].filter(Boolean).join(" ");
  if (href) {
    return (
      <a key={index} class={classes} style={style} href={href} target="_blank" rel="noreferrer noopener">
        {inner}
      </a>
    );
  }
  if (!classes) return inner;
  return (
    <span key={index} class={classes} style={style}>
      {inner}
    </span>
  );
}

/** Gives a colour to the style sheet, which uses only its hue: the lightness is the theme's, so that it can be read. */
const beyond = (name: string, rgb: string | undefined): Record<string, string> => (rgb ? { [name]: `rgb(${rgb})` } : {});
