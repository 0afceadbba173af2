import type { LogLine } from "../client/types";
import { marked, type Piece } from "../state/log-text";

/** The text of a line: as text always, whatever it holds. */
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

/** A colour by its hue alone: how light it is, and so whether it can be read, is the style sheet's. */
const beyond = (name: string, rgb: string | undefined): Record<string, string> => (rgb ? { [name]: `rgb(${rgb})` } : {});
